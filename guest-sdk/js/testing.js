// Runs the hooks of a plugin in plain unit tests (`node --test`), without a host and without the network.
//
//     const page = response("<p class=zip>10001</p>", { css: { ".zip::text": "10001" } });
//     withHost({ config: { zip: "10001" } }, () => plugin.check(page, request("https://shop.example/a")));
//
// What a selector finds is said by the test: `css`, `xpath` and `jmespath`.

import { bind, DownloadError, HookError, Request, Response, Session, Verdict } from "./index.js";

/** A request to this URL. */
export function request(url, { params = {}, meta = {}, init = false, location, session } = {}) {
  const all = { url, ...params };
  return new Request({
    url: () => url,
    host: () => new URL(url).host,
    params: () => JSON.stringify(all),
    param: (name) => JSON.stringify(all[name]),
    meta: () => JSON.stringify(meta),
    metaValue: (name) => JSON.stringify(meta[name]),
    isInit: () => init,
    location: () => JSON.stringify(location),
    session: () => session?.raw,
  });
}

/** An answer with this page; `answer` has further members of the API's answer, `css` and its like what is found in it. */
export function response(text = "", { status = 200, url = "https://test.example/", headers = {}, answer = {}, ...found } = {}) {
  const members = { url, statusCode: status, browserHtml: text, ...answer };
  const all = (language, expression) => {
    const known = found[language] ?? {};
    if (!(expression in known)) {
      throw new HookError(`the test does not say what "${expression}" finds: give response(page, { ${language}: { "${expression}": ... } })`);
    }
    return [known[expression] ?? []].flat();
  };
  return new Response({
    url: () => url,
    status: () => status,
    headers: () => Object.entries(headers),
    header: (name) => Object.entries(headers).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1],
    text: () => text,
    body: () => new TextEncoder().encode(text),
    actions: () => JSON.stringify(members.actions ?? []),
    field: (pointer) => JSON.stringify(pointer.split("/").slice(1).reduce((value, step) => value?.[step], members)),
    css: (selector) => all("css", selector)[0],
    cssAll: (selector) => all("css", selector),
    xpathAll: (expression) => all("xpath", expression).map(String),
    jmespath: (expression) => JSON.stringify(found.jmespath?.[expression]),
    select: (queries) => queries.map(({ language, expression, want }) => {
      const known = found[language]?.[expression];
      if (language === "jmespath") return [String(isTrue(known))];
      const matches = all(language, expression);
      const isComputed = language === "xpath" && !Array.isArray(known);
      if (want === "exists") return [String(isComputed ? Boolean(matches[0]) : matches.length > 0)];
      return matches.slice(0, 1).filter((value) => !Number.isNaN(value)).map((value) => JSON.stringify(value));
    }),
  });
}

/** Whether JMESPath takes a value for true; XPath's truth is that of JavaScript. */
const isTrue = (value) => (typeof value === "object" ? Object.keys(value ?? {}).length > 0 : value === 0 || Boolean(value));

/** A session of this pool without data. */
export function session(pool = "test") {
  const data = new Map();
  return new Session({
    id: () => "5e551017-0000-4000-8000-000000000001",
    pool: () => pool,
    get: (key) => data.get(key),
    set: (key, value) => void data.set(key, value),
  });
}

/**
 * Runs a function with a host that the test describes and gives its result. `downloads` is a function from parameters to a response;
 * the second argument of the function has what was asked (`downloaded`) and logged (`lines`).
 */
export function withHost({ config = null, settings = {}, siteName = "test", downloads, verdict = Verdict.keep() }, run) {
  const downloaded = [];
  const lines = [];
  const store = new Map();
  const before = bind({
    guard: (call) => call(),
    log: (level, message) => void lines.push([level, message]),
    siteName: () => siteName,
    config: () => JSON.stringify(config),
    settings: () => JSON.stringify(settings),
    download(params) {
      downloaded.push(JSON.parse(params));
      if (!downloads) throw new DownloadError(`the test expects no download, got ${params}`, { kind: "refused" });
      return downloads(downloaded.at(-1)).raw;
    },
    sharedGet: (key) => store.get(key),
    sharedSet: (key, value) => void store.set(key, value),
    sharedIncrement(key, by) {
      const sum = BigInt(store.get(key) ?? 0) + by;
      store.set(key, String(sum));
      return sum;
    },
    defaultEnabled: () => true,
    defaultCookieMode: () => false,
    defaultPool: (raw) => JSON.stringify(raw.host()),
    defaultLocation: (raw) => raw.location() ?? "{}",
    defaultParams(raw) {
      const address = raw.location();
      const actions = address ? { actions: [{ action: "setLocation", address: JSON.parse(address) }] } : {};
      return JSON.stringify({ browserHtml: true, ...actions });
    },
    defaultCheck: () => verdict,
  });
  try {
    return run({ downloaded, lines });
  } finally {
    bind(before);
  }
}
