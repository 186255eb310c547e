import { Provider } from "@urql/preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";

import { route, type Route } from "./routes";
import { keptKey, session, signedOutBecause, signIn } from "./session";
import { Home } from "./views/home/home";
import { JobView } from "./views/job/job-view";
import { Nowhere } from "./views/nowhere";
import { NewSchema } from "./views/schemas/new-schema";
import { SchemaList } from "./views/schemas/schema-list";
import { SchemaView } from "./views/schemas/schema-view";
import { Shell } from "./views/shell";
import { SignIn } from "./views/sign-in/sign-in";

/** The page: a form to sign in, or the view that the address names. */
export function App() {
  const waking = useKeptKey();
  const who = session.value;
  return (
    <Shell>
      {who ? (
        <Provider value={who.client} key={who.partner.id}>
          <View route={route.value} />
        </Provider>
      ) : waking ? (
        <main id="main" aria-busy="true" />
      ) : (
        <SignIn />
      )}
    </Shell>
  );
}

function View({ route }: { route: Route }) {
  useLayoutEffect(() => {
    window.scrollTo(0, 0);
    document.title = TITLES[route.view]; // before the effects of a view, which may know a better one
  }, [route]);
  switch (route.view) {
    case "home":
      return <Home />;
    case "job":
      return <JobView id={route.id} key={route.id} />;
    case "schemas":
      return <SchemaList />;
    case "schema":
      return <SchemaView id={route.id} key={route.id} />;
    case "new-schema":
      return <NewSchema from={route.from} key={route.from} />;
    case "nowhere":
      return <Nowhere />;
  }
}

const TITLES: Record<Route["view"], string> = {
  home: "Files · Sluice",
  job: "File · Sluice",
  schemas: "Schemas · Sluice",
  schema: "Schema · Sluice",
  "new-schema": "New schema · Sluice",
  nowhere: "Nothing here · Sluice",
};

/** Signs in with the key that this tab had before it was loaded anew. True until that is decided. */
function useKeptKey(): boolean {
  const [waking, setWaking] = useState(keptKey() !== null);
  useEffect(() => {
    const key = keptKey();
    if (key) {
      void signIn(key).then((problem) => {
        signedOutBecause.value = problem;
        setWaking(false);
      });
    }
  }, []);
  return waking;
}
