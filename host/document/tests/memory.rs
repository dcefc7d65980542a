//! What reading a page costs in memory: a stated multiple of its bytes, whatever it is made of.
#![allow(clippy::unwrap_used, unsafe_code, reason = "a test that counts what is allocated")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use carousel_document::{Document, Language, Query, Want};

/// The system's allocator with a look at what is taken at once.
struct Counting;

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all work is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let taken = TAKEN.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(taken, Relaxed);
        // SAFETY: as for this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as for this function.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The tests of this file run one after the other.
static ALONE: Mutex<()> = Mutex::new(());

/// What one page may take besides its own bytes, with all that a question makes of it: sixteen times its bytes, and 48 MiB for
/// the answers.
const TIMES: usize = 16;
const BYTES: usize = 48 << 20;

#[track_caller]
fn check(kind: &str, page: String, questions: &[(Language, &str)]) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let begin: String = page.chars().take(40).collect();
    let bytes = page.len();
    let before = TAKEN.load(Relaxed);
    MOST.store(before, Relaxed);
    let document = Document::new(page, Some(kind), None, "");
    for (language, expression) in questions {
        for want in [Want::First, Want::All] {
            // Whether it is answered or refused: the memory is bounded.
            let answer = document.select(&[Query::new(*language, *expression, want)]);
            let most = MOST.load(Relaxed) - before;
            assert!(most <= TIMES * bytes + BYTES, "{begin} {expression} {want:?} takes {most} bytes: {} times", most / bytes);
            drop(answer);
        }
    }
}

const JSON: [(Language, &str); 6] = [
    (Language::Jmespath, "@"),
    (Language::Jmespath, "[*] | length(@)"),
    (Language::Jmespath, "keys(@)"),
    (Language::Jmespath, "sort(@)"),
    (Language::Jmespath, "[*].[@, to_string(@), {a: @}]"),
    (Language::Pointer, "/0"),
];

#[test]
fn json_of_any_make_costs_a_bounded_multiple_of_its_bytes() {
    let list = |unit: &str| format!("[{}{unit}]", format!("{unit},").repeat((1 << 19) / (unit.len() + 1)));
    for unit in ["0", "\"\"", "[]", "{}", "{\"\":0}", "[[[[0]]]]", "\"\\u0041\"", "true", "null", "1e9"] {
        check("application/json", list(unit), &JSON);
    }
    let members: String = (0..50_000).map(|n| format!("\"{n:x}\":0,")).collect();
    check("application/json", format!("{{{members}\"\":0}}"), &JSON);
    check("application/json", format!("{{{}\"\":0}}", "\"\":0,".repeat(60_000)), &JSON);
}

#[test]
fn a_large_page_of_zeros_is_read() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let page = format!("[{}0]", "0,".repeat((15 << 20) / 2));
    let bytes = page.len();
    let document = Document::new(page, Some("application/json"), None, "");
    let first = |expression: &str| document.first(Language::Jmespath, expression).unwrap().unwrap();
    assert_eq!(first("length(@)"), (bytes / 2).to_string());
    assert_eq!((first("[0]"), first("[-1]")), ("0".to_owned(), "0".to_owned()));
    assert_eq!(document.first(Language::Pointer, "/1000").unwrap().as_deref(), Some("0"));
}

#[test]
fn markup_of_any_make_costs_a_bounded_multiple_of_its_bytes() {
    let questions = [(Language::Css, "a"), (Language::Css, "*::text"), (Language::Xpath, "//a/@b"), (Language::Regex, ".")];
    for unit in ["<a>", "<a>x", "<a b>", "<a b=1 c=2>", "<p>", "x ", "&amp;", "<!---->", "<b></b>", "<td>"] {
        check("text/html", unit.repeat((1 << 18) / unit.len()), &questions);
    }
    for unit in ["<a/>", "<a b='1'/>", "x&amp;"] {
        check("text/xml", format!("<r>{}</r>", unit.repeat((1 << 18) / unit.len())), &questions);
    }
}
