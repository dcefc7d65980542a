//! What a call costs: beside the bare engine, in calls of the system, on two threads, and on pages of different sizes.

use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use carousel_core::exchange::Answer;
use carousel_core::hooks::HookCall;
use carousel_core::settings::{Instances, SiteTable};
use carousel_core::verdict::Verdict;
use carousel_engine::{Site, Sites};
use carousel_sandbox::{PluginSite, Sandbox};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

use crate::bare::Bare;
use crate::loading::version;
use crate::table::Table;
use crate::{guests, stage};

/// The word that makes this program do nothing but call, for a trace of its calls of the system.
pub(crate) const CHILD: &str = "call";

/// Calls between two looks at the clock.
const BATCH: u32 = 500;

/// Batches of each of two things that are compared, in turns.
const BATCHES: usize = 41;

/// Measures calls.
pub(crate) fn rows(table: &mut Table, _count: usize) {
    let directory = stage::Directory::with(&["good"]);
    let [site] = sites(&directory, [stage::table("site", "good", json!({}))]);
    let html = page_of(10 << 10);
    let answer = stage::page(&html);
    let bare = Bare::new(&guests::component("good"), &html);
    compare(table, &site, &answer, &bare);
    reuse(table, &site, &answer);
    system_calls(table);
    two_threads(table, &answer, &bare);
    sizes(table);
    no_call(table, &site);
}

/// Fresh instance, `check`, one CSS query on a parsed page.
fn compare(table: &mut Table, site: &PluginSite, answer: &Answer, bare: &Bare) {
    let call = stage::call("https://good.example/");
    let (ours, floor) = in_turns(|| check(site, &call, answer), || assert!(bare.check()));
    table.figure("bare wasmtime: instance + check with CSS on 10 KB", microseconds(floor));
    let ratio = ours / floor;
    table.check("the same in the sandbox", format!("{} ({ratio:.2} times)", microseconds(ours)), "≤ 1.3 times", ratio <= 1.3);
}

/// The same at a site that keeps its instance.
fn reuse(table: &mut Table, site: &PluginSite, answer: &Answer) {
    let call = stage::call("https://good.example/");
    let directory = stage::Directory::with(&["good"]);
    let kept = SiteTable { instances: Instances::Reuse, ..stage::table("site", "good", json!({})) };
    let [reusing] = sites(&directory, [kept]);
    let (reused, fresh) = in_turns(|| check(&reusing, &call, answer), || check(site, &call, answer));
    table.figure("the same on a reused instance", format!("{} ({:.2} times)", microseconds(reused), reused / fresh));
}

fn check(site: &PluginSite, call: &HookCall, answer: &Answer) {
    assert_eq!(site.check(call.clone(), answer.clone()), Ok(Verdict::Keep));
}

/// Nanoseconds of processor time of a call of each, the median of many batches.
fn in_turns(mut one: impl FnMut(), mut other: impl FnMut()) -> (f64, f64) {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..BATCHES {
        times[0].push(batch(&mut one));
        times[1].push(batch(&mut other));
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let [one, other] = &mut times;
    (median(one), median(other))
}

fn batch(work: &mut impl FnMut()) -> f64 {
    let began = thread_time();
    for _ in 0..BATCH {
        work();
    }
    (thread_time() - began).as_nanos() as f64 / f64::from(BATCH)
}

pub(crate) fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Calls of the system that change the address space, per call in the steady state, as strace counts them.
fn system_calls(table: &mut Table) {
    const CALLS: u64 = 2_000;
    let what = "mmap, munmap, mprotect and madvise per call";
    let (Some(once), Some(twice)) = (trace(CALLS), trace(2 * CALLS)) else {
        return table.figure(what, "n/a (no strace)");
    };
    let more = twice.saturating_sub(once);
    // The start of a process takes two more or fewer of them.
    let told = format!("{:.3} ({once} in {CALLS}, {twice} in {})", more as f64 / CALLS as f64, 2 * CALLS);
    table.check(what, told, "0", more <= 2);
}

/// How often a process that makes this many calls changes its address space; none without strace.
fn trace(calls: u64) -> Option<u64> {
    let program = std::env::current_exe().expect("this program");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-U", "name,calls", "-e", "trace=mmap,munmap,mprotect,madvise"]).arg(program);
    let output = strace.args([CHILD, &calls.to_string()]).output().ok()?;
    let told = String::from_utf8_lossy(&output.stderr);
    let count = |line: &str| line.split_whitespace().find_map(|word| word.parse::<u64>().ok());
    let total = told.lines().find(|line| line.trim_start().starts_with("total"))?;
    output.status.success().then_some(count(total)?)
}

/// Makes calls and nothing else.
pub(crate) fn child(arguments: &[String]) {
    let calls: u64 = arguments[0].parse().expect("a number");
    let site = stage::site("good", json!({}));
    let (call, answer) = (stage::call("https://good.example/"), stage::page(&page_of(10 << 10)));
    for _ in 0..calls {
        check(&site, &call, &answer);
    }
}

/// The calls of two threads beside those of one: at a site each, as in a broad crawl, and both at the same site.
fn two_threads(table: &mut Table, answer: &Answer, bare: &Bare) {
    let sites = two_sites();
    let defaults = stage::call("https://good.example/").defaults;
    // A request and a parsed page of its own for each thread, as in a crawl; the default behaviours are those of the crawl.
    let own = || {
        let call = HookCall { defaults: defaults.clone(), ..stage::call("https://good.example/") };
        (call, Answer::parse(answer.text(), None).expect("an answer"))
    };
    let ours = |sites: &[Arc<PluginSite>]| spell(sites.len(), own, |thread, (call, answer)| check(&sites[thread], call, answer));
    let floor = |threads| spell(threads, || (), |_, ()| assert!(bare.check()));
    let [first, second] = &sites;
    let same = [first.clone(), first.clone()];
    let arithmetic = |threads| spell(threads, || (), |_, ()| compute());
    let [one, two, crowded, bare_one, bare_two, free_one, free_two] = best([
        &|| ours(std::slice::from_ref(second)),
        &|| ours(&sites),
        &|| ours(&same),
        &|| floor(1),
        &|| floor(2),
        &|| arithmetic(1),
        &|| arithmetic(2),
    ]);
    table.figure("calls a second, 1 thread", one.words());
    table.figure("the same, bare wasmtime", bare_one.words());
    let ratio = |two: &Spell, one: &Spell| two.calls / one.calls;
    let words = |two: &Spell, one| format!("{} ({:.2} times)", two.words(), ratio(two, one));
    table.figure("calls a second, 2 threads, bare wasmtime", words(&bare_two, &bare_one));
    table.figure("calls a second, 2 threads at one site", words(&crowded, &one));
    // Two processors that others use, too, are not two: arithmetic, which shares nothing, shows what they are at the time.
    let machine = ratio(&free_two, &free_one);
    table.figure("arithmetic, 2 threads", format!("{machine:.2} times"));
    table.check("calls a second, 2 threads", words(&two, &one), "≥ 1.7 times", ratio(&two, &one) >= 1.7);
}

/// About as long as a call, and without memory.
fn compute() {
    let sum = (0..15_000_u64).fold(1, |sum: u64, n| black_box(sum.wrapping_mul(31) ^ n));
    assert_ne!(black_box(sum), 0);
}

/// The sites of these tables, on the best code there is.
fn sites<const N: usize>(directory: &stage::Directory, tables: [SiteTable; N]) -> [Arc<PluginSite>; N] {
    let sandbox = Sandbox::new(&directory.settings()).expect("a sandbox");
    let loaded = sandbox.load(&tables);
    sandbox.finish_optimising();
    tables.map(|table| loaded.sites.named(&table.name).expect("a site"))
}

/// Two sites with a plugin each, which do the same.
fn two_sites() -> [Arc<PluginSite>; 2] {
    let directory = stage::Directory::with(&["good"]);
    let guest = std::fs::read(guests::component("good")).expect("the guest");
    directory.write("other.wasm", version(&guest, 1));
    sites(&directory, ["good", "other"].map(|name| stage::table(name, name, json!({}))))
}

/// What threads did in a short spell.
#[derive(Clone, Copy)]
struct Spell {
    /// Calls a second of all threads.
    calls: f64,
    /// Nanoseconds of processor time of a call.
    time: f64,
}

impl Spell {
    fn words(&self) -> String {
        format!("{:.0}, {} of processor each", self.calls, microseconds(self.time))
    }
}

/// The best spell of each of these things, which are done in turns: the processors are not as fast, nor as free, at all times.
/// Many short ones find a moment in which both are free sooner than few long ones.
fn best<const N: usize>(spells: [&dyn Fn() -> Spell; N]) -> [Spell; N] {
    const ROUNDS: usize = 80;
    let rounds: Vec<[Spell; N]> = (0..ROUNDS).map(|_| spells.map(|spell| spell())).collect();
    std::array::from_fn(|n| {
        let of = rounds.iter().map(|round| round[n]);
        of.max_by(|a, b| a.calls.total_cmp(&b.calls)).expect("rounds")
    })
}

fn spell<T>(threads: usize, prepare: impl Fn() -> T + Sync, work: impl Fn(usize, &T) + Sync) -> Spell {
    let (stop, calls, time) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let thread = &|number| {
        let prepared = prepare();
        work(number, &prepared);
        let began = thread_time();
        let mut count = 0;
        while !stop.load(Relaxed) {
            work(number, &prepared);
            count += 1;
        }
        calls.fetch_add(count, Relaxed);
        time.fetch_add((thread_time() - began).as_nanos() as u64, Relaxed);
    };
    let began = Instant::now();
    std::thread::scope(|scope| {
        for number in 0..threads {
            scope.spawn(move || thread(number));
        }
        std::thread::sleep(Duration::from_millis(25));
        stop.store(true, Relaxed);
    });
    let calls = calls.into_inner() as f64;
    Spell { calls: calls / began.elapsed().as_secs_f64(), time: time.into_inner() as f64 / calls }
}

/// A `check` that reads only the status: the page stays where it is.
fn sizes(table: &mut Table) {
    let site = stage::site("misbehaving", json!({}));
    let (call, small, large) = (stage::call("https://good.example/"), answer_of(1 << 10), answer_of(1 << 20));
    let (with_large, with_small) = in_turns(|| check(&site, &call, &large), || check(&site, &call, &small));
    let ratio = with_large / with_small;
    let told = format!("{} and {} ({ratio:.2} times)", microseconds(with_small), microseconds(with_large));
    table.check("check of the status, pages of 1 KB and 1 MB", told, "≤ 1.1 times", ratio <= 1.1);
}

/// Hooks that the plugin leaves out.
fn no_call(table: &mut Table, site: &Arc<PluginSite>) {
    let call = stage::call("https://good.example/");
    let before = site.report();
    let (plan, edit) =
        in_turns(|| drop(black_box(site.plan(call.clone()))), || drop(black_box(site.process_request(call.clone()))));
    let instances = site.report().instances - before.instances;
    let told = format!("{instances} ({} and {})", microseconds(plan), microseconds(edit));
    table.check("instances for a plan and an edit that are left out", told, "0", instances == 0);
}

fn answer_of(bytes: usize) -> Answer {
    stage::page(&page_of(bytes))
}

/// A page of about this size, with the element that the guest looks for in its middle.
fn page_of(bytes: usize) -> String {
    let item = |n: usize| format!("<li class=item><a href=/p/{n}>Product {n}</a> <b>{n} €</b></li>\n");
    let half: String = (0..)
        .map(item)
        .scan(0, |size, item| {
            *size += item.len();
            (*size <= bytes / 2).then_some(item)
        })
        .collect();
    format!("<html><head><title>Shop</title></head><body><ul>{half}</ul><p class=ok>yes</p><ul>{half}</ul></body></html>")
}

pub(crate) fn microseconds(nanoseconds: f64) -> String {
    format!("{:.2} µs", nanoseconds / 1_000.0)
}
