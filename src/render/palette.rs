//! The one place where colours, letters and shapes are decided.
//!
//! A cause is told by its shape and its letter as well as by its colour. The ten hues were chosen by
//! search so that any two stay apart in OKLab under normal vision and under simulated protan, deutan and
//! tritan vision (Machado, Oliveira and Fernandes 2009), and every one has a contrast of at least 3 to 1
//! against its background (WCAG 2.2, 1.4.11); the tests below hold them to both.

/// A colour in both themes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tone {
    /// Name of its variable and suffix of its classes in style sheets.
    pub(super) name: &'static str,
    /// On a light page, as red, green, blue.
    pub(super) light: [u8; 3],
    /// On a dark page.
    pub(super) dark: [u8; 3],
}

const fn tone(name: &'static str, light: u32, dark: u32) -> Tone {
    const fn rgb(hex: u32) -> [u8; 3] {
        let [_, r, g, b] = hex.to_be_bytes();
        [r, g, b]
    }
    Tone {
        name,
        light: rgb(light),
        dark: rgb(dark),
    }
}

/// The page behind everything.
pub(super) const SURFACE: Tone = tone("surface", 0xffffff, 0x14171b);
/// Tables' stripes, cards.
pub(super) const RAISED: Tone = tone("raised", 0xf4f5f7, 0x1d2127);
/// Text.
pub(super) const INK: Tone = tone("ink", 0x16191d, 0xe7e9ec);
/// Secondary text.
pub(super) const MUTED: Tone = tone("muted", 0x595f69, 0xa3aab5);
/// Lines of grids and tables.
pub(super) const GRID: Tone = tone("grid", 0xdfe2e6, 0x32383f);
/// Requests that were not slow.
pub(super) const NORMAL: Tone = tone("normal", 0x8b939e, 0x757d88);
/// Letters on the hues that are too bright for letters in the colour of the page.
const ON_BRIGHT: Tone = tone("on-bright", 0x17191d, 0x14171b);
/// Links, focus, limits.
pub(super) const ACCENT: Tone = tone("accent", 0x0b57c2, 0x8ab8ff);
/// Something is wrong.
pub(super) const BAD: Tone = tone("bad", 0xb3261e, 0xff9a90);
/// All is well.
pub(super) const GOOD: Tone = tone("good", 0x136c3a, 0x6fd39a);

/// Ten hues for causes, parts and series.
pub(super) const HUES: [Tone; 10] = [
    tone("c0", 0x4c62d6, 0x5ca2e7),
    tone("c1", 0x339c93, 0x01d6b7),
    tone("c2", 0xc97135, 0xd38e3c),
    tone("c3", 0x883490, 0xa6617e),
    tone("c4", 0xa8550a, 0xdbc422),
    tone("c5", 0xb076f3, 0x7b5eca),
    tone("c6", 0x4f4c06, 0xc4ee88),
    tone("c7", 0x1f2f72, 0x89f2d6),
    tone("c8", 0x5e1828, 0xcc4b3b),
    tone("c9", 0x6b6b6b, 0x9a9a9a),
];

/// From nothing to all, for heat maps.
pub(super) const RAMP: [Tone; 6] = [
    tone("h0", 0xeef0f3, 0x21262c),
    tone("h1", 0xf8d9b4, 0x4a2f1a),
    tone("h2", 0xf0b070, 0x7d4a1d),
    tone("h3", 0xd98238, 0xb26a23),
    tone("h4", 0xb3541a, 0xe39a45),
    tone("h5", 0x7a2f0c, 0xffd79a),
];

/// All colours there are.
pub(super) fn tones() -> impl Iterator<Item = &'static Tone> {
    const PLAIN: [Tone; 10] = [
        ON_BRIGHT, SURFACE, RAISED, INK, MUTED, GRID, NORMAL, ACCENT, BAD, GOOD,
    ];
    PLAIN.iter().chain(&HUES).chain(&RAMP)
}

/// How a cause or a part is told apart.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Sign {
    /// Its colour.
    pub(super) tone: Tone,
    /// Its letter.
    pub(super) letter: char,
    /// Corners of its shape, for a mark that reaches from -1 to 1; none for a disc.
    pub(super) corners: &'static [(f32, f32)],
}

const TRIANGLE_UP: &[(f32, f32)] = &[(0.0, -1.15), (1.1, 0.85), (-1.1, 0.85)];
const DIAMOND: &[(f32, f32)] = &[(0.0, -1.2), (1.2, 0.0), (0.0, 1.2), (-1.2, 0.0)];
const SQUARE: &[(f32, f32)] = &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)];
const TRIANGLE_DOWN: &[(f32, f32)] = &[(0.0, 1.15), (1.1, -0.85), (-1.1, -0.85)];
const PLUS: &[(f32, f32)] = &[
    (-0.4, -1.2),
    (0.4, -1.2),
    (0.4, -0.4),
    (1.2, -0.4),
    (1.2, 0.4),
    (0.4, 0.4),
    (0.4, 1.2),
    (-0.4, 1.2),
    (-0.4, 0.4),
    (-1.2, 0.4),
    (-1.2, -0.4),
    (-0.4, -0.4),
];
const TRIANGLE_RIGHT: &[(f32, f32)] = &[(1.15, 0.0), (-0.85, 1.1), (-0.85, -1.1)];
const LYING_BAR: &[(f32, f32)] = &[(-1.4, -0.5), (1.4, -0.5), (1.4, 0.5), (-1.4, 0.5)];
const HOURGLASS: &[(f32, f32)] = &[
    (-1.0, -1.1),
    (1.0, -1.1),
    (0.2, 0.0),
    (1.0, 1.1),
    (-1.0, 1.1),
    (-0.2, 0.0),
];
const CROSS: &[(f32, f32)] = &[
    (-1.1, -0.6),
    (-0.6, -1.1),
    (0.0, -0.5),
    (0.6, -1.1),
    (1.1, -0.6),
    (0.5, 0.0),
    (1.1, 0.6),
    (0.6, 1.1),
    (0.0, 0.5),
    (-0.6, 1.1),
    (-1.1, 0.6),
    (-0.5, 0.0),
];

/// Letter and shape by cause, in the order of [`Cause::ALL`](crate::report::Cause::ALL).
const CAUSES: [(char, &[(f32, f32)]); 10] = [
    ('P', TRIANGLE_UP),
    ('C', DIAMOND),
    ('N', SQUARE),
    ('T', TRIANGLE_DOWN),
    ('R', PLUS),
    ('W', TRIANGLE_RIGHT),
    ('L', LYING_BAR),
    ('O', HOURGLASS),
    ('E', CROSS),
    ('?', &[]),
];

/// Letter and hue by part, in the order shown everywhere. The largest parts have the calmest hues.
const PARTS: [(char, usize); 10] = [
    ('q', 2),
    ('p', 1),
    ('d', 0),
    ('m', 5),
    ('t', 3),
    ('r', 7),
    ('x', 8),
    ('w', 4),
    ('g', 9),
    ('o', 6),
];

/// How a cause is told apart, by its index.
pub(super) fn cause(index: usize) -> Sign {
    let index = index.min(CAUSES.len() - 1);
    let (letter, corners) = CAUSES[index];
    Sign {
        tone: HUES[index],
        letter,
        corners,
    }
}

/// How a part of a request's time is told apart, by its index.
pub(super) fn part(index: usize) -> Sign {
    let (letter, hue) = PARTS[index.min(PARTS.len() - 1)];
    Sign {
        tone: HUES[hue],
        letter,
        corners: SQUARE,
    }
}

/// How one of several series is told apart: hues and letters in order.
pub(super) fn series(index: usize) -> Sign {
    Sign {
        tone: HUES[index % HUES.len()],
        letter: char::from(b'A' + (index % 26) as u8),
        corners: SQUARE,
    }
}

impl Sign {
    /// The colour of a letter on this sign's own.
    pub(super) fn letter_tone(&self) -> Tone {
        let bright = [HUES[1], HUES[2], HUES[5]].contains(&self.tone);
        if bright { ON_BRIGHT } else { SURFACE }
    }
}

impl Tone {
    /// As style sheets write it.
    pub(super) fn hex(rgb: [u8; 3]) -> String {
        let [r, g, b] = rgb;
        format!("#{r:02x}{g:02x}{b:02x}")
    }
}

/// Variables of one theme, as declarations.
pub(super) fn variables(theme: impl Fn(&Tone) -> [u8; 3]) -> String {
    tones()
        .map(|tone| format!("--{}:{};", tone.name, Tone::hex(theme(tone))))
        .collect()
}

/// Classes that fill or stroke with each colour.
pub(super) fn classes() -> String {
    tones()
        .map(|Tone { name, .. }| {
            format!(".f-{name}{{fill:var(--{name})}}.s-{name}{{stroke:var(--{name})}}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Color = [f64; 3];

    /// Severity 1.0 of Machado et al. 2009, for linear RGB; the first is normal vision.
    const VISIONS: [[Color; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ];

    fn times(matrix: &[Color; 3], color: Color) -> Color {
        matrix.map(|row| row.iter().zip(color).map(|(m, c)| m * c).sum())
    }

    fn linear(rgb: [u8; 3]) -> Color {
        rgb.map(|c| match f64::from(c) / 255.0 {
            c if c <= 0.04045 => c / 12.92,
            c => ((c + 0.055) / 1.055).powf(2.4),
        })
    }

    /// OKLab of Björn Ottosson, 2020.
    fn oklab(linear: Color) -> Color {
        let lms = [
            [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
            [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
            [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
        ];
        let lab = [
            [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
            [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
            [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
        ];
        times(&lab, times(&lms, linear).map(f64::cbrt))
    }

    fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
        let luminance = |rgb| {
            let [r, g, b] = linear(rgb);
            0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
        };
        let (a, b) = (luminance(a), luminance(b));
        if a > b { a / b } else { b / a }
    }

    const THEMES: [fn(&Tone) -> [u8; 3]; 2] = [|t| t.light, |t| t.dark];

    #[test]
    fn hues_stay_apart_in_every_vision() {
        for (theme, vision) in THEMES
            .iter()
            .flat_map(|t| VISIONS.iter().map(move |v| (t, v)))
        {
            let seen = HUES
                .map(|tone| oklab(times(vision, linear(theme(&tone))).map(|c| c.clamp(0.0, 1.0))));
            for (i, a) in seen.iter().enumerate() {
                for (j, b) in seen.iter().enumerate().skip(i + 1) {
                    let apart: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
                    // 0.02 is about what an eye can just tell.
                    assert!(apart.sqrt() > 0.08, "hues {i} and {j}: {}", apart.sqrt());
                }
            }
        }
    }

    #[test]
    fn contrast_meets_wcag_aa_in_both_themes() {
        for theme in THEMES {
            for page in [SURFACE, RAISED] {
                for text in [INK, MUTED, ACCENT, BAD, GOOD] {
                    let seen = contrast(theme(&text), theme(&page));
                    assert!(seen >= 4.5, "{} on {}: {seen}", text.name, page.name);
                }
            }
            for sign in (0..10).map(series) {
                let seen = contrast(theme(&sign.letter_tone()), theme(&sign.tone));
                // As for large text: the letter only repeats what the legend says.
                assert!(seen >= 3.0, "{}: {seen}", sign.tone.name);
            }
            for graphic in HUES.iter().chain([&NORMAL]) {
                let seen = contrast(theme(graphic), theme(&SURFACE));
                assert!(seen >= 3.0, "{}: {seen}", graphic.name);
            }
        }
    }

    #[test]
    fn causes_parts_and_colours_are_never_the_same() {
        let distinct = |signs: Vec<Sign>| {
            let mut letters: Vec<char> = signs.iter().map(|s| s.letter).collect();
            letters.sort_unstable();
            letters.dedup();
            assert_eq!(letters.len(), signs.len());
        };
        distinct((0..10).map(cause).collect());
        distinct((0..10).map(part).collect());
        for (i, a) in (0..10).map(cause).enumerate() {
            assert!((0..i).all(|j| cause(j).corners != a.corners), "{i}");
        }
        let mut light: Vec<_> = tones().map(|t| t.light).collect();
        light.sort_unstable();
        light.dedup();
        assert_eq!(light.len(), tones().count(), "a colour tells its class");
    }
}
