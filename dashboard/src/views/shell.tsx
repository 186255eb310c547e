import type { ComponentChildren } from "preact";

import { connectionLost, isOffline, isSlow } from "../api/connection";
import { Announcer } from "../parts/announcer";
import { Plain } from "../parts/plain";
import { mayBeLeft, route, to } from "../routes";
import { session, signOut } from "../session";
import { isSending } from "../uploads";

/** What is on every view: where one can go, who one is, and whether the server can be heard. */
export function Shell({ children }: { children: ComponentChildren }) {
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Header />
      <Hearing />
      {children}
      <Announcer />
    </>
  );
}

function Header() {
  const who = session.value;
  return (
    <header class="top">
      <a class="brand" href={to({ view: "home" })}>
        Sluice
      </a>
      {who && (
        <>
          <nav aria-label="Views">
            <Link target="home" label="Files" here={["home", "job"]} />
            <Link target="schemas" label="Schemas" here={["schemas", "schema", "new-schema"]} />
          </nav>
          <div class="who">
            <span>
              Signed in as{" "}
              <strong>
                <Plain text={who.partner.name} />
              </strong>
            </span>
            <button type="button" onClick={leave}>
              Sign out
            </button>
          </div>
        </>
      )}
    </header>
  );
}

const STILL_SENDING = "A file is still being sent. Sign out, and stop it?";

/** Signs out, unless something would be lost by it and the person says no. */
function leave(): void {
  if (mayBeLeft() && (!isSending() || window.confirm(STILL_SENDING))) {
    signOut();
  }
}

function Link({ target, label, here }: { target: "home" | "schemas"; label: string; here: string[] }) {
  const current = here.includes(route.value.view);
  return (
    <a href={to({ view: target })} aria-current={current ? "page" : undefined}>
      {label}
    </a>
  );
}

function Hearing() {
  return (
    <div role="status" class="lost-connection">
      {isOffline.value
        ? "You are offline. What the server does goes on; this page shows it when you are back."
        : connectionLost.value
          ? "The connection to the server is lost. Trying again… What the server does goes on, and nothing is lost."
          : isSlow.value && "The server takes long to answer. This page goes on as soon as it does."}
    </div>
  );
}

/** The address belongs to the route, so the link itself must not change it. */
function skip(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
