// The way from the component's exports to the hooks of the plugin; used by `carousel plugin build`.

import * as host from "carousel:session/host@0.1.0";
import * as shared from "carousel:session/shared@0.1.0";
import * as defaults from "carousel:session/defaults@0.1.0";
import { bind, config, DownloadError, HookError, Request, resolveEdit, Response, Session } from "./index.js";

const real = {
  log: host.log,
  siteName: host.siteName,
  config: host.config,
  settings: host.settings,
  download: host.download,
  sharedGet: shared.get,
  sharedSet: shared.set,
  sharedIncrement: shared.increment,
  defaultEnabled: defaults.enabled,
  defaultCookieMode: defaults.cookieMode,
  defaultPool: defaults.pool,
  defaultLocation: defaults.location,
  defaultParams: defaults.params,
  defaultCheck: defaults.check,
  /** Runs a call whose errors of the host become exceptions of the SDK. */
  guard(call) {
    try {
      return call();
    } catch (error) {
      throw exception(error);
    }
  },
};

function exception(error) {
  const value = error?.payload ?? error;
  if (error instanceof HookError) return error;
  if (typeof value === "string") return new HookError(value);
  if (value && "problemType" in value) return new DownloadError(value.message, value);
  if (value && "token" in value) return new HookError(value.message, value.kind, value.token);
  return error;
}

/** Runs a hook; whatever it throws becomes a failure that the host understands. */
function asked(hook) {
  try {
    return hook();
  } catch (error) {
    if (error instanceof HookError) throw { kind: error.kind, message: error.message, token: error.token };
    host.log("error", `${error}\n${error?.stack ?? ""}`);
    const place = placeOf(error);
    throw { kind: "error", message: place ? `${error} (${place})` : String(error), token: 0 };
  }
}

/** Where in the plugin's own code an error was thrown: `check@plugin.js:12:3`. */
function placeOf(error) {
  const lines = String(error?.stack ?? "").split("\n").map((line) => line.trim());
  const own = lines.find((line) => /:\d+/.test(line) && !line.includes("carousel-guest") && !line.includes("carousel_plugin"));
  return own?.replace(/^at /, "");
}

const json = (value) => JSON.stringify(value ?? {});
const kebab = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** What the component exports for a plugin; name and version are those of its project. */
export function hooksOf(plugin, { name, version }) {
  if (!plugin?.hooks) throw new TypeError("plugin.js must export default sitePlugin({ ... })");
  bind(real);
  const { include = [], exclude = [], priority = 500, insteadOf } = plugin;
  const rules = include.length > 0 ? [{ include, exclude, priority, insteadOf }] : [];
  const hooks = plugin.hooks.map(kebab);
  const run = (hook, ...args) => (plugin[hook] ? plugin[hook](...args) : fail(HookError.defer()));
  return {
    describe: () =>
      asked(() => {
        if (config() !== null) plugin.configure?.();
        return { name: plugin.name ?? name, version: plugin.version ?? version, rules, hooks };
      }),
    enabled: (request) => asked(() => run("enabled", new Request(request))),
    cookieMode: (request) => asked(() => run("cookieMode", new Request(request))),
    pool: (request) => asked(() => json(run("pool", new Request(request)))),
    location: (request) => asked(() => json(run("location", new Request(request)))),
    params: (request) => asked(() => json(run("params", new Request(request)))),
    check: (response, request) =>
      asked(() => {
        const { kind, reason, delay } = run("check", new Response(response), new Request(request));
        return { kind, reason, delay };
      }),
    processRequest: (request) =>
      asked(() => {
        const { url, set, remove } = resolveEdit(run("processRequest", new Request(request)), new Request(request));
        return { url, set: json(set), remove };
      }),
    initSession: (session, request) =>
      asked(() => run("initSession", new Session(session), new Request(request))),
  };
}

function fail(error) {
  throw error;
}
