//! Names of encodings: those of the web, and those that Python knows besides.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, IBM866, ISO_2022_JP, KOI8_R, KOI8_U, MACINTOSH, SHIFT_JIS, UTF_8, UTF_16BE,
    UTF_16LE, WINDOWS_874, WINDOWS_1252,
};

/// Finds the encoding of a label; letter case, white space, `_` for `-` and Python's aliases do not matter.
pub(super) fn encoding(label: &str) -> Option<&'static Encoding> {
    let label = label.trim().to_ascii_lowercase();
    Encoding::for_label(label.as_bytes())
        .or_else(|| python(&label.replace([' ', '_'], "-")))
        .or_else(|| Encoding::for_label(label.replace('_', "-").as_bytes()))
        .or_else(|| numbered(&label))
}

fn python(label: &str) -> Option<&'static Encoding> {
    Some(match label {
        "u8" | "utf" | "utf8-ucs2" | "utf8-ucs4" | "cp65001" | "utf-8-sig" | "utf8mb4" => UTF_8,
        "u16" | "utf16" | "utf-16-le" | "utf16le" => UTF_16LE,
        "utf-16-be" | "utf16be" => UTF_16BE,
        "latin-1" | "latin" | "l1" | "8859" | "iso8859" | "646" | "us" | "iso-ir-6" => WINDOWS_1252,
        "cp932" | "932" | "ms932" | "mskanji" | "ms-kanji" | "s-jis" | "shiftjis" | "shift-jisx0213" | "shift-jis-2004" => {
            SHIFT_JIS
        }
        "eucjp" | "u-jis" | "ujis" | "euc-jisx0213" | "euc-jis-2004" => EUC_JP,
        "iso2022jp" | "iso2022-jp" | "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-ext" => ISO_2022_JP,
        "cp936" | "936" | "ms936" | "euccn" | "euc-cn" | "eucgb2312-cn" | "gb2312-80" | "gb2312-1980" => GBK,
        "gb18030-2000" | "cp54936" => GB18030,
        "cp949" | "949" | "ms949" | "uhc" | "euckr" | "johab" | "ks-x-1001" | "korean" => EUC_KR,
        "cp950" | "950" | "ms950" | "big5-tw" | "big5hkscs" | "big5-hkscs-2004" => BIG5,
        "cp874" => WINDOWS_874,
        "cp866" | "866" => IBM866,
        "koi8-ru" => KOI8_U,
        "cp20866" => KOI8_R,
        "mac-roman" | "macroman" => MACINTOSH,
        _ => return None,
    })
}

/// `windows1252`, `win-1251`, `1250`, `iso8859-2`, `latin2`: a family and a number.
fn numbered(label: &str) -> Option<&'static Encoding> {
    let plain: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
    let number = |prefixes: &[&str]| prefixes.iter().find_map(|prefix| plain.strip_prefix(prefix)).map(str::to_owned);
    let canonical = match number(&["windows", "win", "cp", "xcp", ""]) {
        Some(page) if page.len() == 4 && page.starts_with("125") => format!("windows-{page}"),
        _ => format!("iso-8859-{}", number(&["iso8859", "8859"])?),
    };
    Encoding::for_label(canonical.as_bytes())
}
