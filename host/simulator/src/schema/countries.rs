//! Country codes of ISO 3166-1.

/// The 249 official codes, two letters each.
const COUNTRIES: &str = "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZ\
CACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGN\
GPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULV\
LYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPT\
PWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUS\
UYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW";

/// Tells whether a code is one of them; upper case only.
pub(super) fn is_country(code: &str) -> bool {
    COUNTRIES
        .as_bytes()
        .chunks_exact(2)
        .any(|known| known == code.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{COUNTRIES, is_country};

    #[test]
    fn there_are_249_countries() {
        assert_eq!(COUNTRIES.len(), 2 * 249);
        assert!(is_country("US") && is_country("AX"));
        assert!(!is_country("us") && !is_country("XX") && !is_country("EU") && !is_country(""));
    }
}
