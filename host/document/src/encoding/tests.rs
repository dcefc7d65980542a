//! Tables of bytes and the text they become.

use super::{decode, labels};

#[test]
fn the_encoding_is_found_as_browsers_find_it() {
    let cases: [(&[u8], Option<&str>, &str); 32] = [
        (b"\xEF\xBB\xBF\xC3\xBC", Some("text/html; charset=latin-1"), "ü"),
        (b"\xFF\xFE\xFC\0", None, "ü"),
        (b"\xFE\xFF\0\xFC", Some("text/html; charset=utf-8"), "ü"),
        (b"\xFF\xFE\0\0\xFC\0\0\0", None, "ü"),
        (b"\0\0\xFE\xFF\0\0\0\xFC\0", None, "ü\u{fffd}"),
        (b"\xFC", Some("text/html; charset=ISO-8859-1"), "ü"),
        (b"\x80", Some("text/html;charset=\"latin1\""), "€"),
        (b"\xCF\xF0\xE8", Some("text/html; Charset = 'windows-1251'"), "При"),
        (b"\x83\x65", Some("text/html; charset=cp932"), "テ"),
        (b"\xC3\xBC\xFF", Some("text/html; charset=utf-8"), "ü\u{fffd}"),
        (b"<meta charset=windows-1251>\xCF", Some("text/html"), "<meta charset=windows-1251>П"),
        (b"<meta charset=windows-1251>\xC3\xBC", Some("text/html; charset=utf-8"), "<meta charset=windows-1251>ü"),
        (b"<META CharSet='KOI8-R' />\xF0", None, "<META CharSet='KOI8-R' />П"),
        (b"<meta charset=\"koi8-r\"/>\xF0", None, "<meta charset=\"koi8-r\"/>П"),
        (
            b"<meta http-equiv=Content-Type content='text/html; charset=koi8-r'>\xF0",
            None,
            "<meta http-equiv=Content-Type content='text/html; charset=koi8-r'>П",
        ),
        (
            b"<meta content=\"text/html; charset=koi8-r\" http-equiv=\"content-type\">\xF0",
            None,
            "<meta content=\"text/html; charset=koi8-r\" http-equiv=\"content-type\">П",
        ),
        (
            b"<!-- <meta charset=koi8-r> --><meta charset=big5>\xA4\xA4",
            None,
            "<!-- <meta charset=koi8-r> --><meta charset=big5>中",
        ),
        (b"<meta name=x content='charset=koi8-r'>\xC3\xBC", None, "<meta name=x content='charset=koi8-r'>ü"),
        (b"<meta charset=utf-16>\xC3\xBC", None, "<meta charset=utf-16>ü"),
        (b"\xF0", Some("text/html; a=\"; charset=big5\"; charset=koi8-r"), "П"),
        (b"\xF0", Some("text/html; charset=koi8-r, text/html; charset=big5"), "П"),
        (b"\xF0", Some("charset=koi8-r"), "П"),
        (b"<meta name='a>b' charset=koi8-r>\xF0", None, "<meta name='a>b' charset=koi8-r>П"),
        (
            b"<meta http-equiv=content-type content='text/html charset = \"koi8-r\"'>\xF0",
            None,
            "<meta http-equiv=content-type content='text/html charset = \"koi8-r\"'>П",
        ),
        (b"<meta x=''><meta y='><meta charset=koi8-r>\xF0", None, "<meta x=''><meta y='><meta charset=koi8-r>П"),
        (b"<meta charset=nonsense>\xC3\xBC", None, "<meta charset=nonsense>ü"),
        (b"<?xml version='1.0' encoding='iso-8859-2'?>\xB1", None, "<?xml version='1.0' encoding='iso-8859-2'?>ą"),
        (b"\xC3\xBC", Some("text/html; charset=nonsense"), "ü"),
        (b"\xC3\xBC", None, "ü"),
        (b"<\0p\0>\0\xFC\0", None, "<p>ü"),
        (b"\0{\0}", None, "{}"),
        (b"", None, ""),
    ];
    for (bytes, header, text) in cases {
        assert_eq!(decode(bytes, header, ""), text, "{header:?} {bytes:x?}");
    }
}

#[test]
fn undeclared_encodings_are_guessed() {
    let russian = "Привет, это страница магазина с ценами и адресами";
    let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(russian);
    assert_eq!(decode(&bytes, Some("text/html"), "https://shop.example/"), russian);
    let japanese = "こんにちは、これはお店のページです";
    let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode(japanese);
    assert_eq!(decode(&bytes, None, "https://shop.jp/a"), japanese);
    assert_eq!(decode(b"caf\xE9 au lait", None, "http://user@shop.fr:80/"), "café au lait");
}

#[test]
fn every_byte_sequence_becomes_text() {
    for label in ["utf-8", "utf-16le", "gb18030", "iso-2022-jp", "shift_jis", "euc-kr", "replacement", "x-user-defined"] {
        let header = format!("text/html; charset={label}");
        for first in 0..=255_u8 {
            for second in [0, b'<', 0x80, 0xFF] {
                decode(&[first, second, first], Some(&header), "");
                decode(&[first, second, first, second], None, "https://[::1]/");
            }
        }
    }
}

#[test]
fn labels_of_python_are_known() {
    let cases = [
        ("UTF-8", "UTF-8"),
        ("utf8", "UTF-8"),
        ("utf_8", "UTF-8"),
        ("u8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("latin-1", "windows-1252"),
        ("latin_1", "windows-1252"),
        ("Latin1", "windows-1252"),
        ("iso8859_1", "windows-1252"),
        ("iso8859-15", "ISO-8859-15"),
        ("ISO_8859-2", "ISO-8859-2"),
        ("latin2", "ISO-8859-2"),
        ("ascii", "windows-1252"),
        ("cp1252", "windows-1252"),
        ("win-1251", "windows-1251"),
        ("windows1250", "windows-1250"),
        ("windows_1253", "windows-1253"),
        ("cp932", "Shift_JIS"),
        ("ms932", "Shift_JIS"),
        ("sjis", "Shift_JIS"),
        ("euc_jp", "EUC-JP"),
        ("eucjp", "EUC-JP"),
        ("iso2022_jp", "ISO-2022-JP"),
        ("cp936", "GBK"),
        ("gb2312", "GBK"),
        ("gb18030", "gb18030"),
        ("cp949", "EUC-KR"),
        ("euc_kr", "EUC-KR"),
        ("cp950", "Big5"),
        ("big5hkscs", "Big5"),
        ("koi8_r", "KOI8-R"),
        ("cp866", "IBM866"),
        ("mac_roman", "macintosh"),
        ("tis-620", "windows-874"),
        ("iso_8859_2_1987", "ISO-8859-2"),
        ("iso_8859_11_2001", "windows-874"),
        ("ANSI_X3.4-1968", "windows-1252"),
        ("latin9", "ISO-8859-15"),
        ("l10", "ISO-8859-16"),
        ("ks_c-5601_1987", "EUC-KR"),
        ("mac_cyrillic", "x-mac-cyrillic"),
    ];
    for (label, name) in cases {
        assert_eq!(labels::encoding(label).map(encoding_rs::Encoding::name), Some(name), "{label}");
    }
    for label in ["", "nonsense", "8859-99", "ü", "cp12", "0"] {
        assert_eq!(labels::encoding(label), None, "{label}");
    }
}
