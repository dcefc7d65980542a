// A guest that uses everything of the SDK, and fails in the ways that its site's config asks for.

import {
  config, defaults, download, DownloadError, HookError, log, settings, shared, siteName, sitePlugin, Verdict,
} from "./carousel-guest/index.js";

const orNull = (value) => value ?? null;
const TRUTHS = [
  "count(//p) > 1", "count(//p) > 2", "count(//p)", "count(//i)", "string(//p)", "string(//i)", "number(//p)", "//p/@title", "//i",
];

export default sitePlugin({
  configure() {
    if (config().task === "refuse") throw new HookError("the probe is to refuse");
  },

  enabled: (request) => defaults.enabled(request),

  cookieMode: (request) => defaults.cookieMode(request),

  location: (request) => ({ ...defaults.location(request), addressCountry: "US" }),

  pool: (request) => ({ id: `${siteName()}-${request.location.postalCode}`, size: 2 }),

  params: (request) => ({ ...defaults.params(request), tags: { probe: "params" } }),

  initSession(session, request) {
    if (config().task === "pass-on") download({ url: `https://${request.host}/fail`, browserHtml: true });
    if (config().task !== "surface") throw HookError.defer();
    const page = download({ url: `https://${request.host}/start`, browserHtml: true });
    try {
      download({ url: `https://${request.host}/fail`, browserHtml: true });
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
      session.set("failed", [error.reason, error.status, error.problemType]);
    }
    session.set("started", { status: page.status, found: page.cssAll(".ok::text") });
    return true;
  },

  processRequest(request) {
    if (config().task !== "surface") return {};
    const headers = { "X-Probe": String(request.session.get("started").status) };
    return { url: `${request.url}?edited`, set: { tags: { probe: "edit" } }, remove: ["geolocation"], headers };
  },

  check(response, request) {
    const { task } = config();
    if (task === "raise") throw new TypeError("boom");
    if (task === "selector") response.css("p[");
    if (task === "close-pool") throw HookError.closePool("had enough");
    if (task === "output") putOut();
    if (task === "nothing") return undefined;
    if (task === "surface") log(`SURFACE ${JSON.stringify(surface(response, request))}`);
    return Verdict.keep();
  },
});

function putOut() {
  console.log("printed", "with commas");
  console.error("to standard error");
  console.warn("logged as a warning");
  const now = [Date.now() / 1000, new Date().getTime() / 1000, performance.now() / 1000];
  console.log(`CHANCE ${JSON.stringify([String(Math.random()), Math.random(), now])}`);
}

function surface(response, request) {
  const { session } = request;
  return {
    site: siteName(),
    url: request.url,
    host: request.host,
    init: request.isInit,
    location: request.location,
    params: Object.keys(request.params).sort(),
    param: request.param("browserHtml"),
    "no param": orNull(request.param("none")),
    meta: request.metaValue("user"),
    pool: session.pool,
    id: session.id.length,
    started: session.get("started"),
    failed: session.get("failed"),
    page: [response.url, response.status, response.text, response.body.length],
    header: response.header("x-shop"),
    headers: response.headers.length,
    actions: response.actions,
    field: response.field("/extra/a"),
    "no field": orNull(response.field("/extra/b")),
    css: response.css(".ok::text"),
    "no css": orNull(response.css(".no")),
    xpath: [response.xpath("//p/text()"), response.xpathAll("//p/text()")],
    computed: TRUTHS.map((expression) => orNull(response.xpath(expression))),
    truths: TRUTHS.map((expression) => response.xpathExists(expression)),
    exist: [response.cssExists(".ok"), response.cssExists(".no"), response.jmespathExists("a")],
    jmespath: orNull(response.jmespath("a")),
    shared: [shared.increment("n", 2), shared.get("n"), orNull(shared.set("m", [1])), shared.get("m")],
    size: settings().pool_size,
    usual: defaults.check(response, request).kind,
    "usual params": defaults.params(request),
    "usual pool": defaults.pool(request),
  };
}
