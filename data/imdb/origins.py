"""Languages and countries: their codes and names, and where a movie comes from according to IMDb.

IMDb's ``title.akas`` has a row for each title under which a movie is known somewhere, with a region (such as ``KR``)
and sometimes a language (such as ``ko``). It does not say outright where a movie comes from; ``origin_of`` infers it.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

MOST_COUNTRIES = 3
"""The maximum number of countries of origin. A title that more countries use is an international one, and says nothing
about the origin."""


def _by_code(names: str) -> dict[str, str]:
    """Return the names by code, from ``code name; code name; …``."""
    return dict(each.split(maxsplit=1) for each in " ".join(names.split()).split("; "))


LANGUAGES: Mapping[str, str] = _by_code(
    """
    af Afrikaans; am Amharic; ar Arabic; az Azerbaijani; be Belarusian; bg Bulgarian; bn Bengali; bo Tibetan; br Breton;
    bs Bosnian; ca Catalan; co Corsican; cr Cree; cs Czech; cy Welsh; da Danish; de German; dz Dzongkha;
    el Greek; en English; eo Esperanto; es Spanish; et Estonian; eu Basque; fa Persian; fi Finnish; fo Faroese; fr
    French; fy Frisian; ga Irish; gd Scottish Gaelic; gl Galician; gsw Swiss German; gu Gujarati; ha Hausa; haw
    Hawaiian; he Hebrew; hi Hindi; hr Croatian; hu Hungarian; hy Armenian; id Indonesian; is Icelandic; it Italian; iu
    Inuktitut; ja Japanese; ka Georgian; kk Kazakh; kl Greenlandic; km Khmer; kn Kannada; ko Korean; ku Kurdish; ky
    Kyrgyz; la Latin; lb Luxembourgish; lo Lao; lt Lithuanian; lv Latvian; mi Maori; mk Macedonian; ml Malayalam; mn
    Mongolian; mr Marathi; ms Malay; mt Maltese; my Burmese; nap Neapolitan; ne Nepali; nl Dutch; no Norwegian; or Odia;
    pa Punjabi; pl Polish; prs Dari; ps Pashto; pt Portuguese; qbn Flemish; qbo Serbo-Croatian; qu Quechua; rm Romansh;
    rn Kirundi; ro Romanian; roa Romance; ru Russian; rw Kinyarwanda; sa Sanskrit; sd Sindhi; se Northern Sami; si
    Sinhala; sk Slovak; sl Slovenian; so Somali; sq Albanian; sr Serbian; st Sotho; su Sundanese; sv Swedish; sw
    Swahili; ta Tamil; te Telugu; tg Tajik; th Thai; tk Turkmen; tl Filipino; tn Tswana; tr Turkish; tt Tatar; ug
    Uyghur; uk Ukrainian; ur Urdu; uz Uzbek; vi Vietnamese; wo Wolof; xh Xhosa; yi Yiddish; yo Yoruba; yue Cantonese; zh
    Chinese; zu Zulu
    """
)
"""The English name of each language, by the code that IMDb uses: ISO 639, and IMDb's own ``qbn`` and ``qbo``."""

COUNTRIES: Mapping[str, str] = _by_code(
    """
    AD Andorra; AE United Arab Emirates; AF Afghanistan; AG Antigua and Barbuda; AI Anguilla; AL Albania; AM Armenia; AO
    Angola; AQ Antarctica; AR Argentina; AS American Samoa; AT Austria; AU Australia; AW Aruba; AX Åland; AZ Azerbaijan;
    BA Bosnia and Herzegovina; BB Barbados; BD Bangladesh; BE Belgium; BF Burkina Faso; BG Bulgaria; BH Bahrain; BI
    Burundi; BJ Benin; BL Saint Barthélemy; BM Bermuda; BN Brunei; BO Bolivia; BQ Caribbean Netherlands; BR Brazil; BS
    Bahamas; BT Bhutan; BUMM Burma; BV Bouvet Island; BW Botswana; BY Belarus; BZ Belize; CA Canada; CC Cocos Islands;
    CD Democratic Republic of the Congo; CF Central African Republic; CG Congo; CH Switzerland; CI Ivory Coast; CK Cook
    Islands; CL Chile; CM Cameroon; CN China; CO Colombia; CR Costa Rica; CSHH Czechoslovakia; CSXX Serbia and
    Montenegro; CU Cuba; CV Cape Verde; CW Curaçao; CX Christmas Island; CY Cyprus; CZ Czech Republic; DDDE East
    Germany; DE Germany; DJ Djibouti; DK Denmark; DM Dominica; DO Dominican Republic; DZ Algeria; EC Ecuador; EE
    Estonia; EG Egypt; EH Western Sahara; ER Eritrea; ES Spain; ET Ethiopia; FI Finland; FJ Fiji; FK Falkland Islands;
    FM Micronesia; FO Faroe Islands; FR France; GA Gabon; GB United Kingdom; GD Grenada; GE Georgia; GF French Guiana;
    GG Guernsey; GH Ghana; GI Gibraltar; GL Greenland; GM Gambia; GN Guinea; GP Guadeloupe; GQ Equatorial Guinea; GR
    Greece; GS South Georgia; GT Guatemala; GU Guam; GW Guinea-Bissau; GY Guyana; HK Hong Kong; HM Heard Island; HN
    Honduras; HR Croatia; HT Haiti; HU Hungary; ID Indonesia; IE Ireland; IL Israel; IM Isle of Man; IN India; IO
    British Indian Ocean Territory; IQ Iraq; IR Iran; IS Iceland; IT Italy; JE Jersey; JM Jamaica; JO Jordan; JP Japan;
    KE Kenya; KG Kyrgyzstan; KH Cambodia; KI Kiribati; KM Comoros; KN Saint Kitts and Nevis; KP North Korea; KR South
    Korea; KW Kuwait; KY Cayman Islands; KZ Kazakhstan; LA Laos; LB Lebanon; LC Saint Lucia; LI Liechtenstein; LK Sri
    Lanka; LR Liberia; LS Lesotho; LT Lithuania; LU Luxembourg; LV Latvia; LY Libya; MA Morocco; MC Monaco; MD Moldova;
    ME Montenegro; MF Saint Martin; MG Madagascar; MH Marshall Islands; MK North Macedonia; ML Mali; MM Myanmar; MN
    Mongolia; MO Macau; MP Northern Mariana Islands; MQ Martinique; MR Mauritania; MS Montserrat; MT Malta; MU
    Mauritius; MV Maldives; MW Malawi; MX Mexico; MY Malaysia; MZ Mozambique; NA Namibia; NC New Caledonia; NE Niger; NF
    Norfolk Island; NG Nigeria; NI Nicaragua; NL Netherlands; NO Norway; NP Nepal; NR Nauru; NU Niue; NZ New Zealand; OM
    Oman; PA Panama; PE Peru; PF French Polynesia; PG Papua New Guinea; PH Philippines; PK Pakistan; PL Poland; PM Saint
    Pierre and Miquelon; PN Pitcairn; PR Puerto Rico; PS Palestine; PT Portugal; PW Palau; PY Paraguay; QA Qatar; RE
    Réunion; RO Romania; RS Serbia; RU Russia; RW Rwanda; SA Saudi Arabia; SB Solomon Islands; SC Seychelles; SD Sudan;
    SE Sweden; SG Singapore; SH Saint Helena; SI Slovenia; SJ Svalbard; SK Slovakia; SL Sierra Leone; SM San Marino; SN
    Senegal; SO Somalia; SR Suriname; SS South Sudan; ST São Tomé and Príncipe; SUHH Soviet Union; SV El Salvador; SX
    Sint Maarten; SY Syria; SZ Eswatini; TC Turks and Caicos; TD Chad; TF French Southern Territories; TG Togo; TH
    Thailand; TJ Tajikistan; TK Tokelau; TL East Timor; TM Turkmenistan; TN Tunisia; TO Tonga; TR Turkey; TT Trinidad
    and Tobago; TV Tuvalu; TW Taiwan; TZ Tanzania; UA Ukraine; UG Uganda; UM US Minor Outlying Islands; US United
    States; UY Uruguay; UZ Uzbekistan; VA Vatican; VC Saint Vincent; VDVN North Vietnam; VE Venezuela; VG British Virgin
    Islands; VI US Virgin Islands; VN Vietnam; VU Vanuatu; WF Wallis and Futuna; WS Samoa; XCZ Czechoslovakia; XKO Korea
    before 1945; XKV Kosovo; XWG West Germany; XYU Yugoslavia; YE Yemen; YT Mayotte; YUCS Serbia and Montenegro; ZA
    South Africa; ZM Zambia; ZRCD Zaire; ZW Zimbabwe
    """
)
"""The English name of each country, by the code that IMDb uses: ISO 3166, and codes for countries of the past."""

OTHER_NAMES: Mapping[str, str] = {
    "uk": "GB",
    "britain": "GB",
    "england": "GB",
    "usa": "US",
    "america": "US",
    "holland": "NL",
    "czechia": "CZ",
    "cmn": "zh",
    "mandarin": "zh",
}
"""Other codes and names, in lower case, and the codes of the country or language that they mean here."""

MAIN_LANGUAGE: Mapping[str, str] = {
    country: language
    for language, countries in _by_code(
        """
        ar DZ BH EG IQ JO KW LB LY MA OM QA SA SY TN AE YE PS SD; bg BG; bn BD; cs CZ CSHH XCZ; da DK; de DE AT DDDE XWG
        LI; el GR; en US GB AU NZ IE JM; es ES MX AR CL CO PE VE UY EC BO CU CR DO GT HN NI PA PY SV PR; et EE; fa IR;
        fi FI; fr FR MC; he IL; hr HR; hu HU; hy AM; id ID; is IS; it IT SM VA; ja JP; ka GE; ko KR KP XKO; lt LT; lv
        LV; mn MN; nl NL; no NO; pl PL; pt PT BR AO MZ; ro RO MD; ru RU SUHH; sk SK; sl SI; sq AL; sr RS; sv SE; th TH;
        tr TR; uk UA; vi VN VDVN; zh CN TW
        """
    ).items()
    for country in countries.split()
}
"""The language in which nearly all movies of a country are made. Countries where several are usual, such as India, are
left out."""


class Alias(NamedTuple):
    """A row of ``title.akas`` with the original title of a movie."""

    region: str
    """The code of the region; empty if not given."""
    language: str
    """The code of the language; empty if not given."""
    original: bool
    """Whether IMDb marks the row as the original title, rather than as the title in a region."""


def origin_of(aliases: Iterable[Alias]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the original languages and the countries of origin of a movie, from the rows with its original title.

    The language and the region of the row marked as original are taken as they are. What this row lacks, usually both,
    follows from the other rows. The countries are their regions, if there are at most ``MOST_COUNTRIES``. The language
    is the one that all of these rows agree on; a row without a language counts as having the ``MAIN_LANGUAGE`` of its
    region, if there is one. What remains unclear is left out, not guessed.

    >>> origin_of([Alias("", "", True), Alias("KR", "", False)])
    (('ko',), ('KR',))
    """
    rows = [row._replace(language=OTHER_NAMES.get(row.language, row.language)) for row in aliases]
    marked = [row for row in rows if row.original]
    others = [row for row in rows if not row.original]
    languages = list(dict.fromkeys(row.language for row in marked if row.language))
    if not languages:
        spoken = {row.language or MAIN_LANGUAGE.get(row.region, "") for row in others} - {""}
        languages = list(spoken) if len(spoken) == 1 else []
    countries = list(dict.fromkeys(row.region for row in marked if row.region in COUNTRIES))
    if not countries:
        used = list(dict.fromkeys(row.region for row in others if row.region in COUNTRIES))
        countries = used if len(used) <= MOST_COUNTRIES else []
    return tuple(languages), tuple(countries)
