//! What months, days and halves of the day are called in other languages, as the locales of Java, of
//! glibc and of Windows have it.
//!
//! The names are those of the Unicode CLDR (<https://cldr.unicode.org>, by Babel 2.19): wide and
//! abbreviated, within a date and alone, in lower case and without the point behind them, of its
//! most used languages and of those of Europe; and those of glibc that are shorter. A final sigma
//! is written as any other, and so is an i without its point. The names with two meanings are left out: `lis` is November in Polish and
//! October in Croatian. What is around a name is left to `notation`.

use std::sync::LazyLock;

use crate::parse::bytes::split_digits;

/// A line of names for each month.
#[rustfmt::skip]
pub(super) const MONTHS: [&str; 12] = [
    "ene enero gen gener gennaio ian ianuarie jaan jaanuar jan janeiro januar januari january \
     január januára janv janvier janvāris janúar led leden ledna oca ocak saus sausio sausis sij \
     siječanj siječnja sty styczeń stycznia tammi tammikuu tammikuuta urt urtarrila xan xaneiro \
     ιαν ιανουάριοσ ιανουαρίου січ січень січня янв январь января яну януари јан јануар ינואר \
     ינו׳ جنوری يناير ژانویه जनवरी जन॰ जाने जानेवारी জানু জানুয়ারি ஜன ஜனவரி జన జనవరి ม.ค มกราคม \
     一月",
    "feb febbraio febr febreiro febrer febrero februar februari februarie february február \
     februára februāris febrúar fev fevereiro févr février helmi helmikuu helmikuuta lut lutego \
     luty ots otsaila vas vasario vasaris veebr veebruar velj veljača veljače úno únor února şub \
     şubat φεβ φεβρουάριοσ φεβρουαρίου лют лютий лютого феб фебруар фев февр февраль февраля \
     февруари פברואר פבר׳ فبراير فروری فوریه फ़रवरी फ़र॰ फेब्रु फेब्रुवारी ফেব ফেব্রুয়ারি பிப் \
     பிப்ரவரி ఫిబ్ర ఫిబ్రవరి ก.พ กุมภาพันธ์ 二月",
    "bře březen března kov kovas kovo maalis maaliskuu maaliskuuta maart mac mar marca march \
     marec maret mars mart martie marts martxoa marzec marzo març março mrt márc március mär \
     märts märz ožu ožujak ožujka μάρ μάρτιοσ μαρ μαρτίου бер березень березня мар март марта מרץ \
     مارس مارچ मार्च মার্চ மார் மார்ச் మార్చి มี.ค มีนาคม 三月",
    "abr abril api apirila apr april aprile aprilie aprill apríl apríla aprīlis avr avril bal \
     balandis balandžio dub duben dubna d’abr d’abril huhti huhtikuu huhtikuuta kwi kwiecień \
     kwietnia nis nisan tra travanj travnja ápr április απρ απρίλιοσ απριλίου апр апрель апреля \
     април квіт квітень квітня אפריל אפר׳ آوریل أبريل اپریل अप्रैल एप्रि एप्रिल এপ্রি এপ্রিল ஏப் \
     ஏப்ரல் ఏప్రి ఏప్రిల్ เม.ย เมษายน 四月 кві",
    "geg gegužė gegužės kvě květen května mag maggio mai maiatza maig maijs maio maj maja may \
     mayo mayis maí mei máj mája május svi svibanj svibnja touko toukokuu toukokuuta μάι μάιοσ \
     μαΐ μαΐου май мая мај трав травень травня מאי مئی مايو مه मई मे মে மே మే พ.ค พฤษภาคม 五月 тра",
    "birž birželio birželis cze czerwca czerwiec eka ekaina giu giugno haz haziran iun iunie juin \
     jun june junho juni junij junio juny juuni jún júna június júní jūn jūnijs kesä kesäkuu \
     kesäkuuta lipanj lipnja xuño červen června čvn ιουν ιουνίου ιούν ιούνιοσ июн июнь июня черв \
     червень червня юни јун יוני جون يونيو ژوئن जून জুন ஜூன் జూన్ มิ.ย มิถุนายน 六月 чер",
    "heinä heinäkuu heinäkuuta iul iulie juil juillet jul julai julho juli julij julio juliol \
     july juuli júl júla július júlí jūl jūlijs liep liepa liepos lipca lipiec lug luglio srpanj \
     srpnja tem temmuz uzt uztaila xul xullo července červenec čvc ιουλ ιουλίου ιούλ ιούλιοσ июл \
     июль июля лип липень липня юли јул יולי جولائی يوليو ژوئیه जुलाई जुलै जुल॰ জুল জুলাই ஜூலை \
     జులై ก.ค กรกฎาคม 七月",
    "abu abuztua ag ago agost agosto agu agustus août aug august augusta augusti augusts augustus \
     augusztus avg avgust ağu ağustos d’ag d’agost elo elokuu elokuuta kol kolovoz kolovoza ogo \
     ogos rugp rugpjūtis rugpjūčio sie sierpień sierpnia srpen srpna ágú ágúst αυγ αυγούστου αύγ \
     αύγουστοσ авг август августа серп серпень серпня אוגוסט אוג׳ أغسطس اوت اگست अगस्त अग॰ ऑग \
     ऑगस्ट আগ আগস্ট ஆக ஆகஸ்ட் ఆగ ఆగస్టు ส.ค สิงหาคม 八月 сер",
    "eyl eylül ira iraila rugs rugsėjis rugsėjo ruj rujan rujna sep sept septembar september \
     septembra septembre septembrie septembris septiembre set setembre setembro settembre syys \
     syyskuu syyskuuta szept szeptember wrz wrzesień września zář září σεπ σεπτέμβριοσ \
     σεπτεμβρίου вер вересень вересня сент сентябрь сентября сеп септембар септември ספטמבר ספט׳ \
     سبتمبر ستمبر سپتامبر सप्टें सप्टेंबर सितंबर सित॰ সেপ সেপ্ট সেপ্টেম্বর செப் செப்டம்பர் \
     సెప్టెం సెప్టెంబర్ ก.ย กันยายน 九月 сен",
    "d’oct d’octubre eki ekim loka lokakuu lokakuuta oct october octobre octombrie octubre okt \
     oktobar oktober oktobris oktoober október októbra ott ottobre out outubro paź październik \
     października spal spalio spalis urr urria říj říjen října οκτ οκτωβρίου οκτώβριοσ жовт \
     жовтень жовтня окт октобар октомври октябрь октября אוקטובר אוק׳ أكتوبر اکتبر اکتوبر अक्टूबर \
     अक्टू॰ ऑक्टो ऑक्टोबर অক্টো অক্টোবর அக் அக்டோபர் అక్టో అక్టోబర్ ต.ค ตุลาคม 十月 жов",
    "aza azaroa kas kasim lapkr lapkritis lapkričio listopadu marras marraskuu marraskuuta \
     noiembrie nov novembar november novembra novembre novembris novembro noviembre nóv nóvember \
     stu studeni studenoga νοέ νοέμβριοσ νοε νοεμβρίου лист листопад листопада нов новембар ное \
     ноември нояб ноябрь ноября נובמבר נוב׳ نوامبر نوفمبر نومبر नवंबर नव॰ नोव्हें नोव्हेंबर নভে \
     নভেম্বর நவ நவம்பர் నవం నవంబర్ พ.ย พฤศจิกายน 十一月 ноя лис",
    "abe abendua ara aralik dec decembar december decembra decembrie decembris decembro des \
     desember desembre dets detsember dez dezember dezembro dic dicembre diciembre dis disember \
     déc décembre gru grudnia grudzień gruod gruodis gruodžio joulu joulukuu joulukuuta pro \
     prosinac prosinca prosince prosinec δεκ δεκέμβριοσ δεκεμβρίου груд грудень грудня дек \
     декабрь декабря декември дец децембар דצמבר דצמ׳ دسامبر دسمبر ديسمبر डिसें डिसेंबर दिसंबर \
     दिस॰ ডিসে ডিসেম্বর டிச டிசம்பர் డిసెం డిసెంబర్ ธ.ค ธันวาคม 十二月 гру",
];

/// Days of the week.
#[rustfmt::skip]
const DAYS: &str = "ahad ahd al an antradienis ar asteartea asteazkena astelehena az ceturtd ceturtdiena cmt cn \
    cs csütörtök cum cuma cumartesi czw czwartek dc dg di dienstag dijous dilluns dim dimanche \
    dimarts dimecres dinsdag dissabte diumenge divendres dj dl do dom domenica domingo donderdag \
    donnerstag ds dt dum duminică dv esmaspäev fim fimmtudagur fr fre fredag freitag fri friday \
    fös föstudagur gio giovedì hétfő ig igandea isn isnin jeu jeudi joi jue jueves jum jumaat \
    jumat kam kamis ke kedd keskiviikko keskiviikkona ketvirtadienis kha khamis kolmapäev kt la \
    larunbata lau lauantai lauantaina laugardagur laupäev laurdag lr lun lundi lunedì lunes luni \
    luns lör lördag lør lørdag ma maanantai maanantaina maandag man mandag mar mardi martedì \
    martes marți mer mercoledì mercredi mi mie miercuri min minggu mittwoch mié miércoles mið \
    miðvikudagur mo mon monday montag mán mánudagur må mån måndag mér mércores ne ned nedelja \
    nedeľa nedjelja neděle neljapäev niedz niedziela og on ons onsdag or osteguna ostirala otrd \
    otrdiena paz pazar pazartesi pe penktadienis per perjantai perjantaina perşembe pet petak \
    petek pi piatok piektd piektdiena pirmadienis pirmd pirmdiena piątek pn po pon pondelok \
    pondělí ponedeljak ponedeljek ponedjeljak poniedziałek pr pt pzt pá pátek péntek pühapäev qua \
    quarta-feira qui quinta-feira rab rabu reede sa sab sabato sabtu sal sali sam samedi samstag \
    sat saturday seg segunda-feira sekmadienis sel selasa sen senin sestd sestdiena sex \
    sexta-feira sk so sob sobota sonntag sre sreda sri srijeda st streda středa su sub subota sun \
    sunday sunnudagur sunnuntai sunnuntaina svētd svētdiena sze szerda szo szombat sáb sábado sâm \
    sâmbătă sön söndag sø søn søndag teisipäev ter terça-feira thu thursday ti tiistai tiistaina \
    tir tirs tirsdag tis tisdag to tor torek tors torsdag torstai torstaina tr trečiadienis trešd \
    trešdiena tue tuesday ty tysdag ut uto utorak utorok vasárnap ven vendredi venerdì venres vie \
    viernes vin vineri vr vrijdag wed wednesday wo woensdag wt wtorek xov xoves za zaterdag zo \
    zondag çar çarşamba út úterý þri þriðjudagur čet četrtek četvrtak čt čtvrtek śr środa \
    šeštadienis št štvrtok δευ δευτέρα κυρ κυριακή πέμ πέμπτη παρ παρασκευή σάβ σάββατο τετ \
    τετάρτη τρί τρίτη воскресенье вс вт вторник вівторок нд нед неделя недеља неділя пʼятниця пет \
    петак петък пн пон понеделник понедельник понедељак понеділок пт пятница сб середа ср сре \
    среда сряда суб суббота субота събота уто уторак чет четвер четверг четвртак четвъртък чт שבת \
    اتوار الأحد الأربعاء الاثنين الثلاثاء الجمعة الخميس السبت بدھ جمعرات جمعه جمعہ دوشنبه سه‌شنبه \
    شنبه منگل پنجشنبه پیر چهارشنبه ہفتہ یکشنبه गुरु गुरुवार बुध बुधवार मंगल मंगलवार मंगळ मंगळवार \
    रवि रविवार शनि शनिवार शुक्र शुक्रवार सोम सोमवार বুধ বুধবার বৃহস্পতি বৃহস্পতিবার মঙ্গল \
    মঙ্গলবার রবি রবিবার শনি শনিবার শুক্র শুক্রবার সোম সোমবার சனி செவ் செவ்வாய் ஞாயி ஞாயிறு திங் \
    திங்கள் புத புதன் வியா வியாழன் வெள் வெள்ளி ఆది ఆదివారం గురు గురువారం బుధ బుధవారం మంగళ \
    మంగళవారం శని శనివారం శుక్ర శుక్రవారం సోమ సోమవారం จันทร์ พฤหัส พุธ วันจันทร์ วันพฤหัสบดี \
    วันพุธ วันศุกร์ วันอังคาร วันอาทิตย์ วันเสาร์ ศุกร์ อังคาร อาทิตย์ เสาร์ 周一 周三 周二 周五 周六 周四 周日 \
    土 土曜日 日 日曜日 星期一 星期三 星期二 星期五 星期六 星期四 星期日 月 月曜日 木 木曜日 水 水曜日 火 火曜日 金 金曜日 금 금요일 목 목요일 수 수요일 월 월요일 \
    일 일요일 토 토요일 화 화요일";

/// Halves of the day, as the locales have them: before noon, and after it. Those that are ordinary
/// words or codes in a log (`IP`, `DE`) are left out; `CH` and `SA`, which are, are those of
/// Vietnamese where [`local_half_of_day`] is asked.
#[rustfmt::skip]
const HALVES: &[(&str, bool)] = &[
    ("上午", false), ("下午", true), ("午前", false), ("午後", true), ("오전", false), ("오후", true),
    ("a.\u{a0}m.", false), ("p.\u{a0}m.", true), ("a.\u{202f}m.", false), ("p.\u{202f}m.", true),
    ("a. m.", false), ("p. m.", true), ("صباحًا", false), ("مساءً", true), ("ص", false), ("م", true),
    ("öö", false), ("ös", true), ("дп", false), ("пп", true), ("π.μ.", false), ("μ.μ.", true),
    ("πμ", false), ("μμ", true), ("ق.ظ.", false), ("ب.ظ.", true), ("قبل‌ازظهر", false),
    ("بعدازظهر", true), ("ก่อนเที่ยง", false), ("หลังเที่ยง", true), ("priešpiet", false),
    ("popiet", true), ("dop.", false), ("odp.", true),
];

/// Those that only a stamp of `java.util.logging` tells from other words, in capitals.
#[rustfmt::skip]
const SHORT_HALVES: &[(&str, bool)] = &[
    ("SA", false), ("CH", true), ("DE", false), ("DU", true), ("FM", false), ("EM", true),
    ("AP.", false), ("IP.", true), ("PG", false), ("PTG", true),
];

/// The longest name, in bytes.
const MAX_NAME: usize = 40;

/// Names of months in order, each with the month.
static NAMES: LazyLock<Vec<(&'static str, u32)>> = LazyLock::new(|| {
    let of_month = |(names, month): (&'static str, u32)| {
        names.split_whitespace().map(move |name| (name, month))
    };
    let mut all: Vec<_> = MONTHS.into_iter().zip(1..).flat_map(of_month).collect();
    all.sort_unstable();
    all
});

/// The month whose name begins a text, and how long the name is. A point behind it is no part of
/// it.
pub(super) fn month(text: &[u8]) -> Option<(u32, usize)> {
    let length = word_length(text);
    if !may_be_date(&text[length..]) {
        return None;
    }
    let name = LowerCase::of(&text[..length])?;
    if matches!(name.text(), "tháng" | "thg") {
        return numbered_month(text, length);
    }
    let at = NAMES
        .binary_search_by(|(known, _)| (*known).cmp(name.text()))
        .ok()?;
    Some((NAMES[at].1, length))
}

/// Whether what follows a word may be a day, a year or a time. Most words have something else
/// behind them, and this costs a fraction of looking the word up.
#[inline]
fn may_be_date(behind: &[u8]) -> bool {
    let mut marks = 0;
    for b in behind.iter().take(4) {
        match b {
            b'.' | b' ' | b'-' | b'/' | b',' => marks += 1,
            b'0'..=b'9' => return true,
            // `noviembre de 2026`
            b'd' | b'\'' => return marks > 0,
            _ => return false,
        }
    }
    false
}

/// `thg 11`, as Vietnamese has it.
fn numbered_month(text: &[u8], length: usize) -> Option<(u32, usize)> {
    let (digits, _) = split_digits(text[length..].strip_prefix(b" ")?);
    let month = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (digits.len() <= 2).then_some((month, length + 1 + digits.len()))
}

/// Whether a word is the name of a day of the week, whole or shortened.
pub(super) fn is_day(word: &[u8]) -> bool {
    let word = word.strip_suffix(b",").unwrap_or(word);
    let word = word.strip_suffix(b".").unwrap_or(word);
    LowerCase::of(word).is_some_and(|name| DAYS.split_whitespace().any(|day| day == name.text()))
}

/// The half of the day that begins a text, whether it is the second one, and how long its name is.
pub(super) fn half_of_day(text: &[u8]) -> Option<(bool, usize)> {
    let length = text.len().min(MAX_NAME);
    let is_of_name = |(name, after_noon): &(&str, bool)| {
        let begin = text[..length].get(..name.len())?;
        if !may_be(begin, name.as_bytes()) {
            return None;
        }
        let is_it = begin == name.as_bytes()
            || LowerCase::of(begin).is_some_and(|begin| begin.text() == *name);
        let is_whole = || ends_word(&text[name.len()..]) || begin[0] >= 0xe0;
        (is_it && is_whole()).then_some((*after_noon, name.len()))
    };
    HALVES.iter().find_map(is_of_name)
}

/// Whether the letters of ASCII are the same in either case, which is seen sooner than a text is
/// put into small letters.
fn may_be(text: &[u8], name: &[u8]) -> bool {
    let is_same = |(a, b): (&u8, &u8)| !a.is_ascii() || !b.is_ascii() || a.eq_ignore_ascii_case(b);
    text.iter().zip(name).all(is_same)
}

fn ends_word(rest: &[u8]) -> bool {
    rest.first().is_none_or(|b| !b.is_ascii_alphanumeric())
}

/// The same where no other word than that of a half of the day can stand.
pub(super) fn local_half_of_day(text: &[u8]) -> Option<(bool, usize)> {
    let is_it =
        |(name, _): &&(&str, bool)| text.strip_prefix(name.as_bytes()).is_some_and(ends_word);
    let short = SHORT_HALVES.iter().find(is_it);
    short.map(|(name, after_noon)| (*after_noon, name.len()))
}

/// How long the word is that begins a text: letters, and points between letters that are none of
/// ASCII.
fn word_length(text: &[u8]) -> usize {
    let is_letter = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphabetic() || *b >= 0x80);
    let is_inside = |at: &usize| {
        is_letter(text.get(*at))
            || text[*at] == b'.' && *at > 0 && text[at - 1] >= 0x80 && {
                text.get(at + 1).is_some_and(|b| *b >= 0x80)
            }
    };
    (0..text.len().min(MAX_NAME + 1))
        .take_while(is_inside)
        .count()
}

/// A word in small letters.
struct LowerCase {
    bytes: [u8; MAX_NAME],
    length: usize,
}

impl LowerCase {
    /// `None`: it is too long for a name, or no text.
    fn of(word: &[u8]) -> Option<Self> {
        const DOT_OF_I: char = '\u{307}';
        let word = std::str::from_utf8(word).ok()?;
        let mut lower = Self {
            bytes: [0; MAX_NAME],
            length: 0,
        };
        let small = word.chars().flat_map(char::to_lowercase);
        // The capital of the Turkish i keeps its point as a mark of its own.
        for c in small.filter(|&c| c != DOT_OF_I) {
            let c = match c {
                'ς' => 'σ',
                'ı' => 'i',
                other => other,
            };
            let end = lower.length + c.len_utf8();
            c.encode_utf8(lower.bytes.get_mut(lower.length..end)?);
            lower.length = end;
        }
        Some(lower)
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}
