import { signal } from "@preact/signals";

/** The id of the version that was saved last, until something else is looked at: its view says so. */
export const justSaved = signal<string | null>(null);
