const MOST_CHARACTERS = 60;

/** Names for the fields of these sources: small ASCII letters, digits and _ where that is possible, each of them once. */
export function tidyNames(sources: string[]): string[] {
  const taken = new Set<string>();
  return sources.map((source, index) => {
    const wanted = tidy(source) || `field_${index + 1}`;
    let name = wanted;
    for (let number = 2; taken.has(name); number += 1) {
      name = `${wanted}_${number}`;
    }
    taken.add(name);
    return name;
  });
}

function tidy(source: string): string {
  return source
    .replaceAll("ß", "ss")
    .replaceAll(/[øØ]/g, "o")
    .replaceAll(/[æÆ]/g, "ae")
    .replaceAll(/[łŁ]/g, "l")
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, "$1_$2")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "_")
    .slice(0, MOST_CHARACTERS)
    .replaceAll(/^_+|_+$/g, "");
}
