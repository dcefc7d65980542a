//! Names of encodings: those of the web, and those that Python knows besides.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, IBM866, ISO_2022_JP, ISO_8859_14, ISO_8859_16, KOI8_R, KOI8_U, MACINTOSH,
    SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_874, WINDOWS_1252, X_MAC_CYRILLIC,
};

/// Finds the encoding of a label; letter case, signs, white space and Python's aliases do not matter.
pub(super) fn encoding(label: &str) -> Option<&'static Encoding> {
    let label = label.trim().to_ascii_lowercase();
    let plain: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
    Encoding::for_label(label.as_bytes())
        .or_else(|| python(&plain))
        .or_else(|| Encoding::for_label(label.replace('_', "-").as_bytes()))
        .or_else(|| numbered(&plain))
}

fn python(plain: &str) -> Option<&'static Encoding> {
    Some(match plain {
        "u8" | "utf" | "utf8" | "utf8ucs2" | "utf8ucs4" | "cp65001" | "utf8sig" | "utf8mb4" => UTF_8,
        "u16" | "utf16" | "utf16le" | "unicodelittleunmarked" => UTF_16LE,
        "utf16be" | "unicodebigunmarked" => UTF_16BE,
        "latin" | "8859" | "iso8859" | "646" | "us" | "isoir6" | "iso646us" | "iso646irv1991" | "ansix341968" | "ansix341986"
        | "csascii" | "cp367" | "ibm367" => WINDOWS_1252,
        "cp932" | "932" | "ms932" | "mskanji" | "sjis" | "shiftjis" | "shiftjisx0213" | "sjisx0213" | "shiftjis2004"
        | "sjis2004" | "xmacjapanese" => SHIFT_JIS,
        "eucjp" | "ujis" | "eucjisx0213" | "eucjis2004" | "jisx0213" => EUC_JP,
        "iso2022jp" | "iso2022jp1" | "iso2022jp2" | "iso2022jpext" => ISO_2022_JP,
        "cp936" | "936" | "ms936" | "euccn" | "eucgb2312cn" | "gb231280" | "gb23121980" | "xmacsimpchinese" => GBK,
        "gb180302000" | "cp54936" => GB18030,
        "cp949" | "949" | "ms949" | "uhc" | "euckr" | "ksx1001" | "korean" | "ksc5601" | "ksc56011987" | "xmackorean" => EUC_KR,
        "cp950" | "950" | "ms950" | "big5tw" | "big5hkscs" | "big5hkscs2004" | "hkscs" | "xmactradchinese" => BIG5,
        "cp874" | "thai" | "tis620" | "tis6200" | "tis62025290" | "tis62025291" | "isoir166" => WINDOWS_874,
        "cp866" | "866" => IBM866,
        "koi8ru" => KOI8_U,
        "cp20866" => KOI8_R,
        "macroman" => MACINTOSH,
        "maccyrillic" => X_MAC_CYRILLIC,
        "isoceltic" | "isoir199" => ISO_8859_14,
        "isoir226" => ISO_8859_16,
        _ => return None,
    })
}

/// `windows1252`, `win1251`, `1250`, `iso88592`, `iso885921987`, `latin2`, `l10`: a family and a number.
fn numbered(plain: &str) -> Option<&'static Encoding> {
    let number = |prefixes: &[&str]| prefixes.iter().find_map(|prefix| plain.strip_prefix(prefix));
    let canonical = match number(&["windows", "win", "cp", "xcp", ""]) {
        Some(page) if page.len() == 4 && page.starts_with("125") => format!("windows-{page}"),
        _ => match number(&["latin", "l"]) {
            Some(latin) => format!("iso-8859-{}", part_of_latin(latin)?),
            None => format!("iso-8859-{}", without_year(number(&["iso8859", "8859"])?)),
        },
    };
    Encoding::for_label(canonical.as_bytes())
}

/// The part of ISO 8859 that a number of a Latin alphabet stands for.
fn part_of_latin(number: &str) -> Option<&str> {
    Some(match number {
        "1" | "2" | "3" | "4" => number,
        "5" => "9",
        "6" => "10",
        "7" => "13",
        "8" => "14",
        "9" => "15",
        "10" => "16",
        _ => return None,
    })
}

/// The number of a part of ISO 8859 without the year of the standard.
fn without_year(number: &str) -> &str {
    number.len().checked_sub(4).filter(|&end| end > 0).and_then(|end| number.get(..end)).unwrap_or(number)
}
