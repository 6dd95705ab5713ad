// Numbers and text as people read them.

export function number(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return "–";
  }
  if (value === 0) {
    return "0";
  }
  const size = Math.floor(Math.log10(Math.abs(value)));
  const decimals = Math.min(6, Math.max(0, digits - 1 - size));
  return value.toLocaleString("en", {
    minimumFractionDigits: 0,
    maximumFractionDigits: decimals,
  });
}

export function ms(seconds) {
  return number(1e3 * seconds);
}

export function mj(joules) {
  return number(1e3 * joules);
}

export function megabytes(bytes) {
  return number(bytes / 1e6);
}

export function percent(part) {
  return Number.isFinite(part) ? (100 * part).toFixed(Math.abs(part) < 0.0995 ? 2 : 1) : "–";
}

/** `+1.2 %`, or nothing where nothing has changed. */
export function change(now, before) {
  const part = now / before - 1;
  return Math.abs(part) < 5e-5 || !Number.isFinite(part)
    ? ""
    : `${part > 0 ? "+" : "−"}${percent(Math.abs(part))} %`;
}

/** An element with attributes and children; text is never taken as HTML. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) {
      made.addEventListener(key.slice(2), value);
    } else if (value === true) {
      made.setAttribute(key, "");
    } else if (value !== false && value !== undefined && value !== null) {
      made.setAttribute(key, value);
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}
