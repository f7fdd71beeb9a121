//! Charts, drawn through plotters: as SVG for pages and as PNG that looks the same everywhere.
//!
//! What they show comes from [`figures`](crate::report::figures); here is only where it goes on the sheet.

mod backend;
mod cost;
mod distribution;
mod font;
mod gpu;
mod heat;
mod load;
mod phases;
mod png;
mod scale;
mod sheet;
mod svg;
mod timeline;
mod tools;

use backend::Pen;
use sheet::Sheet;

use crate::report::figures::Figures;
use crate::report::{Replay, Report};

/// A chart could not be drawn: a fault of the program, not of the dump.
#[derive(Debug, thiserror::Error)]
#[error("drawing a chart failed: {0}")]
pub struct ChartError(String);

/// What is drawn.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Sums and names.
    pub report: &'a Report<'a>,
    /// Points and bins.
    pub figures: &'a Figures,
    /// What alert rules said, where they could be replayed.
    pub alerts: Option<&'a Replay<'a>>,
}

/// One chart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Chart {
    /// Latency over time by cause.
    Timeline,
    /// Latency distribution.
    Distribution,
    /// Where time went and where it should have gone.
    Phases,
    /// Share of slow requests by kind of task and time.
    Heat,
    /// Cost by model.
    CostByModel,
    /// Cost by kind of task.
    CostByTask,
    /// Share of tool calls by tool over time.
    Tools,
    /// Concurrency against time per token.
    Load,
    /// Devices over time.
    Gpu,
}

/// Where the time axis of timeline and heat map lies on the page's sheets, in pixels: left and right end of
/// the timeline, then of the heat map.
#[must_use]
pub fn extent(narrow: bool) -> [i32; 4] {
    let form = if narrow { Form::Narrow } else { Form::Page };
    let (line, heat) = (timeline::sides(form), heat::sides(form));
    [line.0, line.1, heat.0, heat.1]
}

/// The sheet a chart is drawn on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Alone in a file, with title and legend.
    File,
    /// Part of a wide page, which says what it shows.
    Page,
    /// Part of a narrow page.
    Narrow,
}

impl Form {
    fn width(self) -> i32 {
        match self {
            Self::File | Self::Page => 1_120,
            Self::Narrow => 370,
        }
    }
}

impl Chart {
    /// Every chart, in the order of the report.
    pub const ALL: [Self; 9] = [
        Self::Timeline,
        Self::Distribution,
        Self::Phases,
        Self::Heat,
        Self::CostByModel,
        Self::CostByTask,
        Self::Tools,
        Self::Load,
        Self::Gpu,
    ];

    /// Its name in files and ids.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Timeline => "latency-over-time",
            Self::Distribution => "latency-distribution",
            Self::Phases => "phases",
            Self::Heat => "slow-by-task-and-time",
            Self::CostByModel => "cost-by-model",
            Self::CostByTask => "cost-by-task",
            Self::Tools => "tool-shares",
            Self::Load => "concurrency",
            Self::Gpu => "gpu",
        }
    }

    /// Its title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Timeline => "Latency over time, by cause",
            Self::Distribution => "How long requests took",
            Self::Phases => "Where the time went, and where it should have gone",
            Self::Heat => "Share of slow requests, by task and time",
            Self::CostByModel => "Cost by model",
            Self::CostByTask => "Cost by task",
            Self::Tools => "Share of tool calls",
            Self::Load => "Calls in flight and speed of tokens",
            Self::Gpu => "Devices over time",
        }
    }

    /// True when the dump has something to draw.
    #[must_use]
    pub fn has_data(self, subject: Subject<'_>) -> bool {
        let (figures, cost) = (subject.figures, &subject.report.sums().cost);
        match self {
            Self::Timeline => !subject.report.is_empty(),
            Self::Distribution => !figures.distribution.bins.is_empty(),
            Self::Phases => figures.phases.slow.is_some() || figures.phases.normal.is_some(),
            Self::Heat => !figures.heat.rows.is_empty(),
            Self::CostByModel => cost.by_model.iter().any(|sum| sum.cost.is_some()),
            Self::CostByTask => cost.by_task.iter().any(|sum| sum.cost.is_some()),
            Self::Tools => !figures.tools.tools.is_empty(),
            Self::Load => figures.load.steps.len() > 1,
            Self::Gpu => !figures.gpu.panels.is_empty(),
        }
    }

    /// What it shows, in a sentence or two.
    #[must_use]
    pub fn description(self, subject: Subject<'_>) -> String {
        match self {
            Self::Timeline => timeline::describe(subject),
            Self::Distribution => distribution::describe(subject),
            Self::Phases => phases::describe(subject),
            Self::Heat => heat::describe(subject),
            Self::CostByModel | Self::CostByTask => cost::describe(self, subject),
            Self::Tools => tools::describe(subject),
            Self::Load => load::describe(subject),
            Self::Gpu => gpu::describe(subject),
        }
    }

    /// As SVG: a file, or an element of a page that has the style sheet.
    ///
    /// # Errors
    /// When plotters refuses to draw.
    pub fn svg(self, subject: Subject<'_>, form: Form) -> Result<String, ChartError> {
        let mut svg = svg::Svg::new(self.size(subject, form), form == Form::File);
        self.draw(subject, form, &mut svg)?;
        let id = match form {
            Form::Narrow => format!("{}-narrow", self.name()),
            Form::File | Form::Page => self.name().to_owned(),
        };
        Ok(svg.finish(&svg::Words {
            id: &id,
            title: self.title(),
            description: &self.description(subject),
        }))
    }

    /// As a PNG file.
    ///
    /// # Errors
    /// When it cannot be drawn or encoded.
    pub fn png(self, subject: Subject<'_>) -> Result<Vec<u8>, ChartError> {
        let mut png = png::Png::new(self.size(subject, Form::File))?;
        self.draw(subject, Form::File, &mut png)?;
        png.finish()
    }

    fn size(self, subject: Subject<'_>, form: Form) -> (u32, u32) {
        let body = match self {
            Self::Timeline => timeline::height(form),
            Self::Distribution => distribution::height(form),
            Self::Phases => phases::height(subject, form),
            Self::Heat => heat::height(subject, form),
            Self::CostByModel | Self::CostByTask => cost::height(self, subject, form),
            Self::Tools => tools::height(form),
            Self::Load => load::height(form),
            Self::Gpu => gpu::height(subject, form),
        };
        let head = if form == Form::File { sheet::HEAD } else { 0 };
        (form.width() as u32, (body + head) as u32)
    }

    fn draw(self, subject: Subject<'_>, form: Form, pen: &mut impl Pen) -> Result<(), ChartError> {
        let sheet = Sheet::new(pen, form)?;
        if form == Form::File {
            sheet.head(self.title(), &self.description(subject))?;
        }
        match self {
            Self::Timeline => timeline::draw(subject, &sheet),
            Self::Distribution => distribution::draw(subject, &sheet),
            Self::Phases => phases::draw(subject, &sheet),
            Self::Heat => heat::draw(subject, &sheet),
            Self::CostByModel | Self::CostByTask => cost::draw(self, subject, &sheet),
            Self::Tools => tools::draw(subject, &sheet),
            Self::Load => load::draw(subject, &sheet),
            Self::Gpu => gpu::draw(subject, &sheet),
        }
    }
}
