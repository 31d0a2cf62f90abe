//! How the telephone systems of countries are reached: written down from ITU-T E.164 and E.212 by hand. A
//! public crate for this is ten times as large as the rest of the watcher, for rules that nothing here asks.

/// A country, or a territory with a code of two letters of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Country {
    /// ISO 3166-1 alpha-2, and XK for Kosovo.
    pub(super) iso: [u8; 2],
    /// What is dialled for it after the `+`: E.164, annex.
    pub(super) code: u16,
    /// What is dialled before a number inside it, and left out after the `+`.
    pub(super) trunk: &'static str,
    /// What an IMSI from there begins with: E.212, annex.
    mobile: &'static [u16],
}

impl Country {
    /// The country with these two letters, large or small.
    pub(super) fn of_letters(letters: &str) -> Option<Self> {
        let letters = letters.as_bytes();
        COUNTRIES.iter().find(|country| country.iso.eq_ignore_ascii_case(letters)).copied()
    }

    /// The country of the network that an IMSI belongs to.
    pub(super) fn of_imsi(imsi: &str) -> Option<Self> {
        let mobile = imsi.get(..3)?.parse().ok()?;
        COUNTRIES.iter().find(|country| country.mobile.contains(&mobile)).copied()
    }

    /// The first country whose numbers begin so after the `+`. Those that share a code share its rules too.
    pub(super) fn of_number(digits: &str) -> Option<Self> {
        // No code is the beginning of another one.
        let code = (1..=3).find_map(|length| digits.get(..length)?.parse().ok().filter(is_code))?;
        COUNTRIES.iter().find(|country| country.code == code).copied()
    }
}

fn is_code(code: &u16) -> bool {
    COUNTRIES.iter().any(|country| country.code == *code)
}

const fn row(iso: &[u8; 2], code: u16, trunk: &'static str, mobile: &'static [u16]) -> Country {
    Country { iso: *iso, code, trunk, mobile }
}

/// The country that most people mean stands first among those that share a code.
#[rustfmt::skip]
const COUNTRIES: &[Country] = &[
    row(b"US", 1, "1", &[310, 311, 312, 313, 314, 315, 316]),
    row(b"AD", 376, "", &[213]),
    row(b"AE", 971, "0", &[424, 430, 431]),
    row(b"AF", 93, "0", &[412]),
    row(b"AG", 1, "1", &[344]),
    row(b"AI", 1, "1", &[365]),
    row(b"AL", 355, "0", &[276]),
    row(b"AM", 374, "0", &[283]),
    row(b"AO", 244, "", &[631]),
    row(b"AR", 54, "0", &[722]),
    row(b"AS", 1, "1", &[544]),
    row(b"AT", 43, "0", &[232]),
    row(b"AU", 61, "0", &[505]),
    row(b"AW", 297, "", &[363]),
    row(b"AZ", 994, "0", &[400]),
    row(b"BA", 387, "0", &[218]),
    row(b"BB", 1, "1", &[342]),
    row(b"BD", 880, "0", &[470]),
    row(b"BE", 32, "0", &[206]),
    row(b"BF", 226, "", &[613]),
    row(b"BG", 359, "0", &[284]),
    row(b"BH", 973, "", &[426]),
    row(b"BI", 257, "", &[642]),
    row(b"BJ", 229, "", &[616]),
    row(b"BM", 1, "1", &[350]),
    row(b"BN", 673, "", &[528]),
    row(b"BO", 591, "0", &[736]),
    row(b"BR", 55, "0", &[724]),
    row(b"BS", 1, "1", &[364]),
    row(b"BT", 975, "", &[402]),
    row(b"BW", 267, "", &[652]),
    row(b"BY", 375, "80", &[257]),
    row(b"BZ", 501, "", &[702]),
    row(b"CA", 1, "1", &[302]),
    row(b"CD", 243, "0", &[630]),
    row(b"CF", 236, "", &[623]),
    row(b"CG", 242, "", &[629]),
    row(b"CH", 41, "0", &[228]),
    row(b"CI", 225, "", &[612]),
    row(b"CK", 682, "", &[548]),
    row(b"CL", 56, "", &[730]),
    row(b"CM", 237, "", &[624]),
    row(b"CN", 86, "0", &[460, 461]),
    row(b"CO", 57, "", &[732]),
    row(b"CR", 506, "", &[712]),
    row(b"CU", 53, "0", &[368]),
    row(b"CV", 238, "", &[625]),
    row(b"CW", 599, "", &[362]),
    row(b"BQ", 599, "", &[]),
    row(b"CY", 357, "", &[280]),
    row(b"CZ", 420, "", &[230]),
    row(b"DE", 49, "0", &[262]),
    row(b"DJ", 253, "", &[638]),
    row(b"DK", 45, "", &[238]),
    row(b"DM", 1, "1", &[366]),
    row(b"DO", 1, "1", &[370]),
    row(b"DZ", 213, "0", &[603]),
    row(b"EC", 593, "0", &[740]),
    row(b"EE", 372, "", &[248]),
    row(b"EG", 20, "0", &[602]),
    row(b"ER", 291, "0", &[657]),
    row(b"ES", 34, "", &[214]),
    row(b"ET", 251, "0", &[636]),
    row(b"FI", 358, "0", &[244]),
    row(b"AX", 358, "0", &[]),
    row(b"FJ", 679, "", &[542]),
    row(b"FK", 500, "", &[750]),
    row(b"FM", 691, "", &[550]),
    row(b"FO", 298, "", &[288]),
    row(b"FR", 33, "0", &[208]),
    row(b"GA", 241, "", &[628]),
    row(b"GB", 44, "0", &[234, 235]),
    row(b"GD", 1, "1", &[352]),
    row(b"GE", 995, "0", &[282]),
    row(b"GF", 594, "0", &[742]),
    row(b"GG", 44, "0", &[]),
    row(b"GH", 233, "0", &[620]),
    row(b"GI", 350, "", &[266]),
    row(b"GL", 299, "", &[290]),
    row(b"GM", 220, "", &[607]),
    row(b"GN", 224, "", &[611]),
    row(b"GP", 590, "0", &[]),
    row(b"BL", 590, "0", &[]),
    row(b"MF", 590, "0", &[]),
    row(b"GQ", 240, "", &[627]),
    row(b"GR", 30, "", &[202]),
    row(b"GT", 502, "", &[704]),
    row(b"GU", 1, "1", &[]),
    row(b"GW", 245, "", &[632]),
    row(b"GY", 592, "", &[738]),
    row(b"HK", 852, "", &[454]),
    row(b"HN", 504, "", &[708]),
    row(b"HR", 385, "0", &[219]),
    row(b"HT", 509, "", &[372]),
    row(b"HU", 36, "06", &[216]),
    row(b"ID", 62, "0", &[510]),
    row(b"IE", 353, "0", &[272]),
    row(b"IL", 972, "0", &[425]),
    row(b"IM", 44, "0", &[]),
    row(b"IN", 91, "0", &[404, 405, 406]),
    row(b"IO", 246, "", &[]),
    row(b"IQ", 964, "0", &[418]),
    row(b"IR", 98, "0", &[432]),
    row(b"IS", 354, "", &[274]),
    row(b"IT", 39, "", &[222]),
    row(b"VA", 39, "", &[]),
    row(b"JE", 44, "0", &[]),
    row(b"JM", 1, "1", &[338]),
    row(b"JO", 962, "0", &[416]),
    row(b"JP", 81, "0", &[440, 441]),
    row(b"KE", 254, "0", &[639]),
    row(b"KG", 996, "0", &[437]),
    row(b"KH", 855, "0", &[456]),
    row(b"KI", 686, "", &[545]),
    row(b"KM", 269, "", &[654]),
    row(b"KN", 1, "1", &[356]),
    row(b"KP", 850, "0", &[467]),
    row(b"KR", 82, "0", &[450]),
    row(b"KW", 965, "", &[419]),
    row(b"KY", 1, "1", &[346]),
    row(b"LA", 856, "0", &[457]),
    row(b"LB", 961, "0", &[415]),
    row(b"LC", 1, "1", &[358]),
    row(b"LI", 423, "", &[295]),
    row(b"LK", 94, "0", &[413]),
    row(b"LR", 231, "0", &[618]),
    row(b"LS", 266, "", &[651]),
    row(b"LT", 370, "0", &[246]),
    row(b"LU", 352, "", &[270]),
    row(b"LV", 371, "", &[247]),
    row(b"LY", 218, "0", &[606]),
    row(b"MA", 212, "0", &[604]),
    row(b"EH", 212, "0", &[]),
    row(b"MC", 377, "0", &[212]),
    row(b"MD", 373, "0", &[259]),
    row(b"ME", 382, "0", &[297]),
    row(b"MG", 261, "0", &[646]),
    row(b"MH", 692, "", &[551]),
    row(b"MK", 389, "0", &[294]),
    row(b"ML", 223, "", &[610]),
    row(b"MM", 95, "0", &[414]),
    row(b"MN", 976, "0", &[428]),
    row(b"MO", 853, "", &[455]),
    row(b"MP", 1, "1", &[]),
    row(b"MQ", 596, "0", &[340]),
    row(b"MR", 222, "", &[609]),
    row(b"MS", 1, "1", &[354]),
    row(b"MT", 356, "", &[278]),
    row(b"MU", 230, "", &[617]),
    row(b"MV", 960, "", &[472]),
    row(b"MW", 265, "0", &[650]),
    row(b"MX", 52, "", &[334]),
    row(b"MY", 60, "0", &[502]),
    row(b"MZ", 258, "", &[643]),
    row(b"NA", 264, "0", &[649]),
    row(b"NC", 687, "", &[546]),
    row(b"NE", 227, "", &[614]),
    row(b"NF", 672, "", &[]),
    row(b"NG", 234, "0", &[621]),
    row(b"NI", 505, "", &[710]),
    row(b"NL", 31, "0", &[204]),
    row(b"NO", 47, "", &[242]),
    row(b"SJ", 47, "", &[]),
    row(b"NP", 977, "0", &[429]),
    row(b"NR", 674, "", &[536]),
    row(b"NU", 683, "", &[555]),
    row(b"NZ", 64, "0", &[530]),
    row(b"OM", 968, "", &[422]),
    row(b"PA", 507, "", &[714]),
    row(b"PE", 51, "0", &[716]),
    row(b"PF", 689, "", &[547]),
    row(b"PG", 675, "", &[537]),
    row(b"PH", 63, "0", &[515]),
    row(b"PK", 92, "0", &[410]),
    row(b"PL", 48, "", &[260]),
    row(b"PM", 508, "0", &[308]),
    row(b"PR", 1, "1", &[330]),
    row(b"PS", 970, "0", &[]),
    row(b"PT", 351, "", &[268]),
    row(b"PW", 680, "", &[552]),
    row(b"PY", 595, "0", &[744]),
    row(b"QA", 974, "", &[427]),
    row(b"RE", 262, "0", &[647]),
    row(b"YT", 262, "0", &[]),
    row(b"RO", 40, "0", &[226]),
    row(b"RS", 381, "0", &[220]),
    row(b"RU", 7, "8", &[250]),
    row(b"KZ", 7, "8", &[401]),
    row(b"RW", 250, "0", &[635]),
    row(b"SA", 966, "0", &[420]),
    row(b"SB", 677, "", &[540]),
    row(b"SC", 248, "", &[633]),
    row(b"SD", 249, "0", &[634]),
    row(b"SE", 46, "0", &[240]),
    row(b"SG", 65, "", &[525]),
    row(b"SH", 290, "", &[658]),
    row(b"SI", 386, "0", &[293]),
    row(b"SK", 421, "0", &[231]),
    row(b"SL", 232, "0", &[619]),
    row(b"SM", 378, "", &[292]),
    row(b"SN", 221, "", &[608]),
    row(b"SO", 252, "0", &[637]),
    row(b"SR", 597, "", &[746]),
    row(b"SS", 211, "0", &[659]),
    row(b"ST", 239, "", &[626]),
    row(b"SV", 503, "", &[706]),
    row(b"SX", 1, "1", &[]),
    row(b"SY", 963, "0", &[417]),
    row(b"SZ", 268, "", &[653]),
    row(b"TC", 1, "1", &[376]),
    row(b"TD", 235, "", &[622]),
    row(b"TG", 228, "", &[615]),
    row(b"TH", 66, "0", &[520]),
    row(b"TJ", 992, "", &[436]),
    row(b"TK", 690, "", &[554]),
    row(b"TL", 670, "", &[514]),
    row(b"TM", 993, "8", &[438]),
    row(b"TN", 216, "", &[605]),
    row(b"TO", 676, "", &[539]),
    row(b"TR", 90, "0", &[286]),
    row(b"TT", 1, "1", &[374]),
    row(b"TV", 688, "", &[553]),
    row(b"TW", 886, "0", &[466]),
    row(b"TZ", 255, "0", &[640]),
    row(b"UA", 380, "0", &[255]),
    row(b"UG", 256, "0", &[641]),
    row(b"UY", 598, "0", &[748]),
    row(b"UZ", 998, "", &[434]),
    row(b"VC", 1, "1", &[360]),
    row(b"VE", 58, "0", &[734]),
    row(b"VG", 1, "1", &[348]),
    row(b"VI", 1, "1", &[332]),
    row(b"VN", 84, "0", &[452]),
    row(b"VU", 678, "", &[541]),
    row(b"WF", 681, "", &[543]),
    row(b"WS", 685, "", &[549]),
    row(b"XK", 383, "0", &[221]),
    row(b"YE", 967, "0", &[421]),
    row(b"ZA", 27, "0", &[655]),
    row(b"ZM", 260, "0", &[645]),
    row(b"ZW", 263, "0", &[648]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_calling_code_is_the_beginning_of_another() {
        let codes: BTreeSet<String> = COUNTRIES.iter().map(|country| country.code.to_string()).collect();
        for code in &codes {
            assert!(!codes.iter().any(|other| other != code && other.starts_with(code.as_str())), "{code}");
        }
    }

    #[test]
    fn every_country_stands_once_and_no_mobile_code_means_two() {
        let letters: BTreeSet<_> = COUNTRIES.iter().map(|country| country.iso).collect();
        let mobile: Vec<_> = COUNTRIES.iter().flat_map(|country| country.mobile).collect();
        assert_eq!(letters.len(), COUNTRIES.len());
        assert_eq!(mobile.iter().collect::<BTreeSet<_>>().len(), mobile.len());
        assert!(mobile.iter().all(|code| (200..800).contains(*code)));
        assert!(letters.iter().all(|iso| telltale_model::Country::new(*iso).is_some()));
    }

    #[test]
    fn countries_that_share_a_code_share_its_trunk_prefix() {
        for country in COUNTRIES {
            assert_eq!(Country::of_number(&country.code.to_string()).unwrap().trunk, country.trunk);
        }
    }

    #[test]
    fn a_country_is_known_by_its_letters_its_numbers_and_its_sims() {
        let letters = |country: Option<Country>| country.map(|country| country.iso);
        assert_eq!(letters(Country::of_letters("de")), Some(*b"DE"));
        assert_eq!(letters(Country::of_letters("DEU")), None);
        assert_eq!(letters(Country::of_number("4917612345678")), Some(*b"DE"));
        assert_eq!(letters(Country::of_number("35312345678")), Some(*b"IE"));
        assert_eq!(letters(Country::of_number("999")), None);
        assert_eq!(letters(Country::of_imsi("404685505601234")), Some(*b"IN"));
        assert_eq!(letters(Country::of_imsi("00")), None);
    }
}
