use std::borrow::Cow;

use super::escape_url;

/// What the official client (zyte-api 0.11.0 with w3lib 2.5.0) was seen to send for each of these.
const CHANGED: &[(&str, &str)] = &[
    ("https://example.com/ a?b=c d&e=ñ#frag x", "https://example.com/%20a?b=c%20d&e=%C3%B1#frag%20x"),
    ("https://example.com?a=b", "https://example.com/?a=b"),
    ("https://example.com/?", "https://example.com/"),
    ("https://example.com/#", "https://example.com/"),
    ("https://example.com/a?b#c?d#e", "https://example.com/a?b#c?d%23e"),
    ("HTTPS://WWW.Example.COM/Path", "https://www.example.com/Path"),
    ("https://example.com:/", "https://example.com/"),
    ("https://example.com:0080/", "https://example.com:80/"),
    ("https://exämple.com/ä", "https://xn--exmple-cua.com/%C3%A4"),
    ("https://EXÄMPLE.com/", "https://xn--exmple-cua.com/"),
    (
        "https://例え.テスト/パス?キー=値#断片",
        "https://xn--r8jz45g.xn--zckzah/%E3%83%91%E3%82%B9?%E3%82%AD%E3%83%BC=%E5%80%A4#%E6%96%AD%E7%89%87",
    ),
    ("https://example.com/a|b?c|d#e|f", "https://example.com/a%7Cb?c%7Cd#e%7Cf"),
    ("https://example.com/[a]?b[]=1&c[0]=2#[x]", "https://example.com/%5Ba%5D?b%5B%5D=1&c%5B0%5D=2#%5Bx%5D"),
    ("https://example.com/a'b?c='d'#e'f", "https://example.com/a'b?c=%27d%27#e'f"),
    ("https://example.com/a\"b<c>d`e{f}g^h\\i", "https://example.com/a%22b%3Cc%3Ed%60e%7Bf%7Dg%5Eh/i"),
    ("https://example.com/?q=\"<>`{}^\\|", "https://example.com/?q=%22%3C%3E%60%7B%7D%5E%5C%7C"),
    ("https://example.com/#\"<>`{}^\\|", "https://example.com/#%22%3C%3E%60%7B%7D%5E%5C%7C"),
    ("https:\\\\example.com\\a\\b?c\\d", "https://example.com/a/b?c%5Cd"),
    ("https://example.com/?!$&'()*+,;=:@-._~/?", "https://example.com/?!$&%27()*+,;=:@-._~/?"),
    ("https://us er:p:a=s;s@example.com/", "https://us%20er:p%3Aa%3Ds%3Bs@example.com/"),
    ("https://a@b@example.com/", "https://a%40b@example.com/"),
    ("https://[2001:DB8::1]:8080/a b", "https://[2001:db8::1]:8080/a%20b"),
    ("https://example.com/emoji/😀?x=😀", "https://example.com/emoji/%F0%9F%98%80?x=%F0%9F%98%80"),
    ("http://localhost:8000/a b", "http://localhost:8000/a%20b"),
    ("https://example.com/#a#b", "https://example.com/#a%23b"),
    ("https://example.com/é/é", "https://example.com/%C3%A9/%C3%A9"),
    ("https://bücher.example:8443/x?y#z", "https://xn--bcher-kva.example:8443/x?y#z"),
    ("example.com/a b", "example.com/a%20b"),
    ("/a b", "/a%20b"),
    ("ftp://example.com/a b'c?d'", "ftp://example.com/a%20b'c?d%27"),
    ("data:text/html,<b>ñ</b>", "data:text/html,%3Cb%3E%C3%B1%3C/b%3E"),
    ("https://ｅxample.com/", "https://example.com/"),
    ("  https://example.com/a  ", "https://example.com/a"),
    ("\thttps://exa\tmple.com/a\nb\r?c\td#e\nf", "https://example.com/ab?cd#ef"),
    ("\u{0} https://example.com/\u{1}\u{7f}", "https://example.com/%01%7F"),
    ("https://example.com/a\u{a0}b", "https://example.com/a%C2%A0b"),
    ("https://example.com/a\u{2028}b?c\u{3000}", "https://example.com/a%E2%80%A8b?c%E3%80%80"),
    (" ", ""),
    ("http://exam\u{ad}ple.com/", "http://example.com/"),
];

/// What the official client sends as it is.
const KEPT: &[&str] = &[
    "https://example.com/%7Ebob/?a=%20#%7E",
    "https://example.com",
    "https://example.com#top",
    "https://example.com:443/",
    "https://example.com/100%/%zz/%e4?%=%1",
    "https://example.com/a+b?c+d=e%2Bf",
    "https://example.com/;p=1,2;q?x;y=z",
    "https://example.com/a//b/../c/./d",
    "https://example.com/!$&'()*+,;=:@-._~",
    "https://user:pass@example.com/",
    "https://us%40er:p%3Ass@example.com/",
    "https://user@example.com/",
    "https://@example.com/",
    "https://192.168.0.1/a",
    "https://example.com./a",
    "https://sub_domain.example.com/a",
    "https://example.com/a%2Fb%2fc",
    "https://example.com/a?url=https://other.example/?x=1#y",
    "https://example.com/a?b=c&amp;d=e",
    "https://xn--bcher-kva.example/",
    "https://example.com/*?*#*",
    "https://.example.com/",
    "https://exa mple.com/",
    "",
];

/// URLs that the official client refuses to send; the API is the judge of ours.
const UNREADABLE: &[(&str, &str)] = &[
    ("https://example.com:80x/ a", "https://example.com:80x/%20a"),
    ("https://example.com:99999/", "https://example.com:99999/"),
    ("https://[::1/ a", "https://[::1/%20a"),
    ("https://[zz]/", "https://[zz]/"),
    ("https://[::1]x/", "https://[::1]x/"),
    ("https://a:b:c/ d", "https://a:b:c/%20d"),
    ("https://℀.com/ a", "https://℀.com/%20a"),
    ("https:///path ", "https:///path"),
];

#[test]
fn urls_are_escaped_like_the_official_client_does() {
    for (url, escaped) in CHANGED {
        assert_eq!(escape_url(url), *escaped, "{url}");
    }
}

#[test]
fn a_safe_url_is_not_even_copied() {
    for url in KEPT {
        assert!(matches!(escape_url(url), Cow::Borrowed(same) if same == *url), "{url}");
    }
}

#[test]
fn escaping_twice_changes_nothing_more() {
    for (url, _) in CHANGED {
        let once = escape_url(url).into_owned();
        assert_eq!(escape_url(&once), once, "{url}");
    }
}

#[test]
fn a_url_that_cannot_be_read_is_escaped_as_far_as_it_goes() {
    for (url, escaped) in UNREADABLE {
        assert_eq!(escape_url(url), *escaped, "{url}");
    }
}

#[test]
fn a_host_keeps_the_name_that_browsers_give_it() {
    assert_eq!(escape_url("https://faß.example/"), "https://xn--fa-hia.example/");
}
