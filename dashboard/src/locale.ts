const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** How numbers, times and sizes are written in a locale and a time zone; left out: the reader's own. */
export function writing(locale?: string, timeZone?: string) {
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const percents = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
  const moments = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium", ...(timeZone ? { timeZone } : {}) });

  /** A count: the API's BigInt (text), or a number. */
  function count(value: string | number): string {
    return typeof value === "string" ? whole.format(BigInt(value)) : whole.format(value);
  }

  /** `count` with its noun: 1 record, 2 records. */
  function counted(value: string | number, noun: string): string {
    return `${count(value)} ${noun}${BigInt(Math.trunc(Number(value))) === 1n ? "" : "s"}`;
  }

  /** 0 to 100 as a percentage. It is 100 % only when it is all. */
  function percent(value: number): string {
    return percents.format((value < 100 ? Math.floor(value) : 100) / 100);
  }

  /** Bytes, in units of 1,024 each, as the limits of the server are: 524,288,000 bytes are 500 MB. */
  function size(bytes: string | number): string {
    let value = Number(bytes);
    let unit = 0;
    while (value >= 1024 && unit < UNITS.length - 1) {
      value /= 1024;
      unit += 1;
    }
    return new Intl.NumberFormat(locale, {
      style: "unit",
      unit: UNITS[unit]!,
      unitDisplay: unit === 0 ? "long" : "short",
      maximumFractionDigits: unit === 0 || value >= 100 ? 0 : 1,
    }).format(value);
  }

  /** A moment of the API (RFC 3339). */
  function moment(text: string): string {
    return moments.format(new Date(text));
  }

  /** A span of time, in its two largest units. */
  function duration(seconds: number): string {
    const rounded = Math.max(0, Math.round(seconds));
    const parts: [number, string][] = [
      [Math.floor(rounded / 3600), "hour"],
      [Math.floor((rounded % 3600) / 60), "minute"],
      [rounded % 60, "second"],
    ];
    const first = parts.findIndex(([value]) => value > 0);
    return parts
      .slice(first === -1 ? 2 : first, first === -1 ? 3 : first + 2)
      .filter(([value], index) => value > 0 || index === 0)
      .map(([value, unit]) => new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short" }).format(value))
      .join(" ");
  }

  /** Records a second. */
  function pace(perSecond: number): string {
    return `${count(perSecond)} records/s`;
  }

  return { count, counted, percent, size, moment, duration, pace };
}

/** As the reader's browser writes them. */
export const { count, counted, percent, size, moment, duration, pace } = writing();
