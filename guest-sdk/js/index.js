// What the author of a Carousel site plugin in JavaScript sees.
//
// A plugin is an object with the hooks that are special about its site; the others are answered by the host, at no cost:
//
//     import { sitePlugin, Verdict } from "./carousel-guest/index.js";
//
//     export default sitePlugin({
//       include: ["shop.example"],
//       check(response, request) {
//         return Verdict.keepIf(response.css(".zip::text") === request.location?.postalCode);
//       },
//     });
//
// Hooks: enabled, cookieMode, pool, location, params, check, processRequest, initSession; locationParams and locationCheck stand
// in for params and check and are asked only where there is a location, which is their last argument. `configure` is asked when a
// site with a config is loaded: an error refuses the site.
//
// Every step of a request runs in a fresh instance: what must last goes into `session.set` or `shared`. `testing.js` runs the
// hooks in a unit test.

const HOOKS = ["enabled", "cookieMode", "pool", "location", "params", "check", "processRequest", "initSession"];
const RULES = ["include", "exclude", "priority", "insteadOf", "name", "version"];
const KNOWN = [...RULES, ...HOOKS, "configure", "locationParams", "locationCheck"];

const VERDICT = 'a Verdict, such as Verdict.keep() or Verdict.discard("why"), or true or false';
const PARAMS = "an object of API parameters, such as { browserHtml: true }";
// What each hook must return.
const EXPECTED = {
  enabled: "true or false", cookieMode: "true or false", initSession: "true if the session is good, or false",
  pool: "a name, or an object with id, size, delay, randomize_delay and max_in_flight",
  location: 'an address, such as { postalCode: "10001" }, or {} where there is none',
  params: PARAMS, locationParams: PARAMS, check: VERDICT, locationCheck: VERDICT,
  processRequest: "an object with url, set, remove and headers; {} changes nothing",
};

/** Why a hook has no result. The message goes to the log. */
export class HookError extends Error {
  constructor(message, kind = "error", token = 0) {
    super(message);
    Object.assign(this, { kind, token });
  }
  /** Ends the crawl; the reason becomes its close reason. */
  static closeCrawl(reason) { return new HookError(reason, "close-crawl"); }
  /** Ends this pool and leaves the rest of the crawl alone. */
  static closePool(reason) { return new HookError(reason, "close-pool"); }
  /** Asks the host to go on as if the plugin did not have this hook. */
  static defer() { return new HookError("", "defer"); }
}

/** Why a download failed. Thrown out of a hook it reaches the host unchanged, which knows whether to try again. */
export class DownloadError extends HookError {
  constructor(message, { token = 0, kind = "api", status = 0, problemType = "" } = {}) {
    super(message, "download", token);
    Object.assign(this, { reason: kind, status, problemType });
  }
}

/** What a check thinks of an answer. */
export class Verdict {
  constructor(kind, reason = "", delay = 0) { Object.assign(this, { kind, reason, delay }); }
  /** Good session, good page. */
  static keep() { return new Verdict("keep"); }
  /** Keeps the session if the condition holds and discards it otherwise. */
  static keepIf(good) { return good ? Verdict.keep() : Verdict.discard("check failed"); }
  /** Bad session: the page is tried again on another one. */
  static discard(reason) { return new Verdict("discard", reason); }
  /** Good session, but it rests for so many seconds before the page is tried again. */
  static throttled(seconds) { return new Verdict("throttled", "throttled", seconds); }
  /** Good session, bad page: it is not tried again. */
  static reject(reason) { return new Verdict("reject", reason); }
  /** Ends this pool and leaves the rest of the crawl alone. */
  static closePool(reason) { return new Verdict("close-pool", reason); }
  /** Ends the crawl; the reason becomes its close reason. */
  static closeCrawl(reason) { return new Verdict("close-crawl", reason); }
  get isKeep() { return this.kind === "keep"; }
}

// The host: `component.js` binds the real one, `testing.js` that of a test.
let host = null;

/** Makes this the host and gives the one before. For `component.js` and `testing.js`. */
export function bind(next) {
  const before = host;
  host = next;
  return before;
}

function ask(name, ...args) {
  if (!host) throw new HookError(`there is no host to ask for ${name}: in a test, start one with withHost of testing.js`);
  return host[name](...args);
}

const read = (text) => (text === undefined || text === null ? undefined : JSON.parse(text));
const write = (value) => (value === undefined || value === null ? undefined : JSON.stringify(value));
const guard = (call) => (host ? host.guard(call) : call());

/** A session: an identity that several requests share. Its data lives in the host as long as the session does. */
export class Session {
  constructor(raw) { this.raw = raw; }
  get id() { return this.raw.id(); }
  get pool() { return this.raw.pool(); }
  /** What a hook stored for this session. */
  get(key) { return read(this.raw.get(key)); }
  /** Stores a value for as long as the session lives; undefined removes it. Fails where the host's bound is reached. */
  set(key, value) { guard(() => this.raw.set(key, write(value))); }
}

/** A request on its way, as the host sees it at this step. */
export class Request {
  constructor(raw) { this.raw = raw; }
  get url() { return this.raw.url(); }
  /** Host name and port as in the URL, in lower case, without user name and password. */
  get host() { return this.raw.host(); }
  /** All API parameters, `url` included. */
  get params() { return read(this.raw.params()); }
  param(name) { return read(this.raw.param(name)); }
  /** The request's metadata; on an initialisation only the session location and params. */
  get meta() { return read(this.raw.meta()); }
  metaValue(name) { return read(this.raw.metaValue(name)); }
  /** Does this request initialise a session? */
  get isInit() { return this.raw.isInit(); }
  /** The location in force, an address; undefined if there is none. */
  get location() { return read(this.raw.location()); }
  /** The session that this request uses or initialises; undefined before one is assigned. */
  get session() {
    const raw = this.raw.session();
    return raw ? new Session(raw) : undefined;
  }
}

/** An answer of the API. Nothing of it is decoded, parsed or copied before something asks for it. */
export class Response {
  constructor(raw) { this.raw = raw; }
  /** The page's URL after redirects. */
  get url() { return this.raw.url(); }
  /** The HTTP status of the page (not of the API); 0 if the answer has none. */
  get status() { return this.raw.status(); }
  get headers() { return this.raw.headers(); }
  /** The first header of this name; names have no case. */
  header(name) { return this.raw.header(name); }
  /** The page as text. */
  get text() { return this.raw.text(); }
  /** The page as bytes. */
  get body() { return this.raw.body(); }
  /** The results of the browser actions. */
  get actions() { return read(this.raw.actions()); }
  /** A member of the API's answer by JSON pointer (`/product/name`). */
  field(pointer) { return read(this.raw.field(pointer)); }
  /** The first match of a CSS selector, which may end in `::text` or `::attr(name)`. */
  css(selector) { return guard(() => this.raw.css(selector)); }
  cssAll(selector) { return guard(() => this.raw.cssAll(selector)); }
  cssExists(selector) { return this.#exists("css", selector); }
  /**
   * The first match of an XPath expression. What it computes comes as what it is: `count(//li) > 3` as true or false, `count(//li)` as a
   * number, `string(//h1)` as text; undefined where it is not a number.
   */
  xpath(expression) { return read(this.#select("xpath", expression, "value")[0]); }
  xpathAll(expression) { return guard(() => this.raw.xpathAll(expression)); }
  /** Is there a match, or does XPath take for true what the expression computes? */
  xpathExists(expression) { return this.#exists("xpath", expression); }
  /** The result of JMESPath on a JSON page. */
  jmespath(expression) { return read(guard(() => this.raw.jmespath(expression))); }
  /** Does JMESPath take its result for true: not null, false or an empty text, list or object? */
  jmespathExists(expression) { return this.#exists("jmespath", expression); }
  #exists(language, expression) { return this.#select(language, expression, "exists")[0] === "true"; }
  #select(language, expression, want) { return guard(() => this.raw.select([{ language, expression, want }]))[0]; }
}

/** The name of the site this call is for. */
export const siteName = () => ask("siteName");
/** The site's `config` from the settings file; null without one. */
export const config = () => JSON.parse(ask("config"));
/** The crawl's session settings (`[session]`). */
export const settings = () => JSON.parse(ask("settings"));
/** Writes to the host's log under the plugin's name: error, warn, info, debug or trace. */
export const log = (message, level = "info") => ask("log", level, String(message));

/**
 * Runs one API call for the session being initialised and waits for its answer; in `params` and `initSession` only. The parameters
 * get the session's id unless they say `session: null`. A failure is a DownloadError.
 */
export const download = (params) => new Response(guard(() => ask("download", JSON.stringify(params))));

/** A small key/value store that all calls for one site share. It outlives sessions, not the process. */
export const shared = {
  get: (key) => read(ask("sharedGet", key)),
  set: (key, value) => guard(() => ask("sharedSet", key, write(value))),
  /** Adds to a number in one step and gives the sum. */
  increment: (key, by = 1) => Number(guard(() => ask("sharedIncrement", key, BigInt(by)))),
};

/** What the host would do if the plugin did not have the hook, for hooks that mean "as usual, but". */
export const defaults = {
  enabled: (request) => ask("defaultEnabled", request.raw),
  cookieMode: (request) => ask("defaultCookieMode", request.raw),
  pool: (request) => read(guard(() => ask("defaultPool", request.raw))),
  location: (request) => read(ask("defaultLocation", request.raw)),
  params: (request) => read(ask("defaultParams", request.raw)),
  check(response, request) {
    const { kind, reason, delay } = guard(() => ask("defaultCheck", response.raw, request.raw));
    return new Verdict(kind, reason, delay);
  },
};

/** Makes an object of hooks the site plugin of this project. Without `include` only `[[site]]` tables put it to work. */
export function sitePlugin(plugin) {
  checkPlugin(plugin);
  const { locationParams, locationCheck, ...rest } = watched(plugin);
  for (const rule of ["include", "exclude"]) if (rule in rest) rest[rule] = patterns(rule, rest[rule]);
  for (const [own, hook] of [[locationParams, "params"], [locationCheck, "check"]]) {
    if (own && rest[hook]) throw new TypeError(`sitePlugin: ${hook} and its namesake for locations exclude each other`);
  }
  if (locationParams) {
    rest.params = (request) =>
      request.location ? locationParams(request, request.location) : defaults.params(request);
  }
  if (locationCheck) {
    rest.check = (response, request) =>
      request.location ? locationCheck(response, request, request.location) : defaults.check(response, request);
  }
  return { ...rest, hooks: HOOKS.filter((hook) => rest[hook]) };
}

/** Refuses an object with something that would never be asked. */
function checkPlugin(plugin) {
  for (const [key, value] of Object.entries(plugin)) {
    if (!KNOWN.includes(key)) {
      const near = nearest(key);
      throw new TypeError(`sitePlugin: unknown key "${key}"; ${near ? `did you mean "${near}"?` : `known: ${KNOWN.join(", ")}`}`);
    }
    if (RULES.includes(key)) continue;
    if (typeof value !== "function") throw new TypeError(`sitePlugin: ${key} is ${shown(value)}: a hook is a function`);
    const kind = value.constructor?.name ?? "";
    if (kind.startsWith("Async")) throw new TypeError(`sitePlugin: ${key} is async: hooks are ordinary functions, nothing waits for a promise`);
    if (kind.startsWith("Generator")) throw new TypeError(`sitePlugin: ${key} is a generator: return the answer instead of yielding it`);
  }
}

/** The known key that a misspelt one was meant to be. */
function nearest(key) {
  const plain = (text) => text.toLowerCase().replace(/[_-]/g, "");
  const near = KNOWN.map((known) => [distance(plain(key), plain(known)), known]).sort(([a], [b]) => a - b)[0];
  return near[0] <= 2 ? near[1] : undefined;
}

/** How many letters two words differ by. */
function distance(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (const [j, second] of [...other].entries()) next.push(Math.min(next[j] + 1, row[j + 1] + 1, row[j] + (letter !== second)));
    row = next;
  }
  return row[other.length];
}

/** The hooks, with a look at what each returns. */
function watched(plugin) {
  const watch = ([key, value]) => [key, key in EXPECTED ? (...args) => answer(key, value.apply(plugin, args)) : value];
  return Object.fromEntries(Object.entries(plugin).map(watch));
}

/** What a hook returned, if it is of the right type. */
function answer(hook, value) {
  if ((hook === "check" || hook === "locationCheck") && typeof value === "boolean") return Verdict.keepIf(value);
  if (!isRight(hook, value)) throw new TypeError(`${hook} returned ${shown(value)}: return ${EXPECTED[hook]}`);
  return value;
}

function isRight(hook, value) {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Promise);
  switch (hook) {
    case "enabled": case "cookieMode": case "initSession": return typeof value === "boolean";
    case "check": case "locationCheck": return value instanceof Verdict;
    case "pool": return typeof value === "string" || (isObject && typeof value.id === "string");
    case "processRequest": return isObject && Object.keys(value).every((key) => ["url", "set", "remove", "headers"].includes(key));
    default: return isObject;
  }
}

function shown(value) {
  const text = value instanceof Promise ? "a promise" : typeof value === "function" ? "a function" : (JSON.stringify(value) ?? String(value));
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}

/** A list of URL patterns; one by itself is a list of one. */
function patterns(rule, given) {
  const list = typeof given === "string" ? [given] : given;
  if (Array.isArray(list) && list.every((item) => typeof item === "string")) return list;
  throw new TypeError(`sitePlugin: ${rule} is ${shown(given)}: expected a list of URL patterns, such as ["shop.example"]`);
}

/** What `processRequest` answers, as the host wants it: `url`, `set`, `remove`, and `headers` merged into the request's own. */
export function resolveEdit({ url, set = {}, remove = [], headers = {} }, request) {
  const name = "customHttpRequestHeaders";
  if (Object.keys(headers).length === 0) return { url, set, remove };
  const old = set[name] ?? (remove.includes(name) ? [] : request.param(name) ?? []);
  const taken = Object.keys(headers).map((header) => header.toLowerCase());
  const kept = old.filter((header) => !taken.includes(header.name.toLowerCase()));
  const added = Object.entries(headers).map(([header, value]) => ({ name: header, value }));
  return { url, set: { ...set, [name]: [...kept, ...added] }, remove: remove.filter((other) => other !== name) };
}
