//! From the parser's tree to one that can be evaluated; what is not supported is named.

use std::time::{Duration, UNIX_EPOCH};

use promql_parser::parser::token::{self, TokenType};
use promql_parser::parser::{
    AggregateExpr, AtModifier, BinModifier, BinaryExpr, Call as CallExpr, Expr, LabelModifier,
    Offset, SubqueryExpr, VectorMatchCardinality, VectorSelector,
};
use regex::Regex;

use super::aggregate::{Aggregate, How};
use super::binary::{Binary, Cardinality, Op};
use super::call::{Call, Function, Replace};
use super::node::{Node, Regroup, Steps};
use super::range::{RangeCall, RangeFn, Source};
use super::select::{Selector, When};
use super::{Blame, Refusal};
use crate::alerts::blame;
use crate::alerts::labels::NAME;
use crate::alerts::store::Store;
use crate::units::Sym;

/// Understands `text`; with the metric names it reads.
pub(super) fn compile(text: &str, store: &mut Store) -> Result<(Node, Vec<String>), Refusal> {
    let expr = promql_parser::parser::parse(text).map_err(|why| blame::syntax(text, &why))?;
    if let Some(refusal) = blame::bare_offset(text) {
        return Err(refusal);
    }
    let mut compiler = Compiler {
        store,
        reads: Vec::new(),
    };
    let node = compiler.node(&expr)?;
    Ok((node, compiler.reads))
}

struct Compiler<'s> {
    store: &'s mut Store,
    reads: Vec<String>,
}

impl Compiler<'_> {
    fn node(&mut self, expr: &Expr) -> Result<Node, Refusal> {
        match expr {
            Expr::NumberLiteral(number) => Ok(Node::Number(number.val)),
            Expr::StringLiteral(text) => Ok(Node::Text(text.val.clone())),
            Expr::Paren(inner) => self.node(&inner.expr),
            Expr::Unary(inner) => {
                let nameless = Regroup::nameless(self.store);
                Ok(Node::Negate(Box::new(self.node(&inner.expr)?), nameless))
            }
            Expr::VectorSelector(selector) => self.selector(selector).map(Node::Select),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate).map(Node::Aggregate),
            Expr::Binary(binary) => Ok(Node::Binary(Box::new(self.binary(binary)?))),
            Expr::Call(call) => self.call(call),
            Expr::MatrixSelector(_) | Expr::Subquery(_) => Err(Refusal::at(
                "[",
                "a range must stand inside a function such as rate",
            )),
            Expr::Extension(_) => Err(Refusal {
                why: "extensions of PromQL are not supported".to_owned(),
                at: Blame::Whole,
            }),
        }
    }

    fn selector(&mut self, selector: &VectorSelector) -> Result<Selector, Refusal> {
        if !selector.matchers.or_matchers.is_empty() {
            return Err(Refusal::at(
                " or ",
                "`or` between label matchers is not PromQL of Prometheus and is not supported",
            ));
        }
        self.reads.push(selector.name.clone().unwrap_or_default());
        let when = when(selector.offset.as_ref(), selector.at.as_ref())?;
        let matchers = selector.matchers.matchers.clone();
        Ok(Selector::new(selector.name.clone(), matchers, when))
    }

    fn symbols(&mut self, labels: &[String]) -> Vec<Sym> {
        labels.iter().map(|l| self.store.labels.text(l)).collect()
    }

    fn aggregate(&mut self, expr: &AggregateExpr) -> Result<Aggregate, Refusal> {
        let how = match expr.op.id() {
            token::T_SUM => How::Sum,
            token::T_AVG => How::Avg,
            token::T_MIN => How::Min,
            token::T_MAX => How::Max,
            token::T_COUNT => How::Count,
            token::T_GROUP => How::Group,
            token::T_STDDEV => How::Stddev,
            token::T_STDVAR => How::Stdvar,
            token::T_QUANTILE => How::Quantile,
            token::T_TOPK => How::TopK,
            token::T_BOTTOMK => How::BottomK,
            _ => return Err(unsupported(&expr.op.to_string(), "aggregation")),
        };
        let group = match &expr.modifier {
            None => Regroup::new(Vec::new(), true),
            Some(LabelModifier::Include(by)) => Regroup::new(self.symbols(&by.labels), true),
            Some(LabelModifier::Exclude(without)) => {
                let mut names = self.symbols(&without.labels);
                names.push(self.store.labels.text(NAME));
                Regroup::new(names, false)
            }
        };
        let number = expr.param.as_ref().map(|p| self.node(p)).transpose()?;
        Ok(Aggregate {
            how,
            number: number.map(Box::new),
            of: Box::new(self.node(&expr.expr)?),
            group,
        })
    }

    fn binary(&mut self, expr: &BinaryExpr) -> Result<Binary, Refusal> {
        let op = operator(expr.op)?;
        let plain = BinModifier {
            card: VectorMatchCardinality::OneToOne,
            ..BinModifier::default()
        };
        let modifier = expr.modifier.as_ref().unwrap_or(&plain);
        if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
            return Err(Refusal::at("fill", "fill modifiers are not supported"));
        }
        let cardinality = match &modifier.card {
            VectorMatchCardinality::ManyToOne(taken) => {
                Cardinality::ManyToOne(self.symbols(&taken.labels))
            }
            VectorMatchCardinality::OneToMany(taken) => {
                Cardinality::OneToMany(self.symbols(&taken.labels))
            }
            _ => Cardinality::OneToOne,
        };
        let name = self.store.labels.text(NAME);
        let (signature, remaining) = match &modifier.matching {
            Some(LabelModifier::Include(on)) => {
                let on = self.symbols(&on.labels);
                let kept = Regroup::new(on.clone(), true);
                (Regroup::new(on, true), Some(kept))
            }
            Some(LabelModifier::Exclude(ignored)) => {
                let ignored = self.symbols(&ignored.labels);
                let left = Regroup::new(ignored.clone(), false);
                let nameless = ignored.into_iter().chain([name]).collect();
                (Regroup::new(nameless, false), Some(left))
            }
            None => (Regroup::new(vec![name], false), None),
        };
        Ok(Binary {
            op,
            left: self.node(&expr.lhs)?,
            right: self.node(&expr.rhs)?,
            truth: modifier.return_bool,
            cardinality,
            signature,
            remaining,
            nameless: Regroup::nameless(self.store),
        })
    }

    fn call(&mut self, call: &CallExpr) -> Result<Node, Refusal> {
        let name = call.func.name;
        if let Some((_, function)) = RangeFn::NAMES.iter().find(|(n, _)| *n == name) {
            return self.range_call(*function, call).map(Node::Range);
        }
        let Some(function) = function(name).or_else(|| replace(call)) else {
            return Err(unsupported(name, "function"));
        };
        let only_first = matches!(function, Function::LabelReplace(_));
        let taken = if only_first { 1 } else { call.args.args.len() };
        let args = call.args.args.iter().take(taken);
        let args = args.map(|arg| self.node(arg)).collect::<Result<_, _>>()?;
        let names = [NAME, "le"].map(|n| self.store.labels.text(n));
        Ok(Node::Call(Call {
            function,
            args,
            nameless: Regroup::nameless(self.store),
            unbounded: Regroup::new(names.to_vec(), false),
        }))
    }

    fn range_call(&mut self, function: RangeFn, call: &CallExpr) -> Result<RangeCall, Refusal> {
        let (mut source, mut number) = (None, None);
        for arg in &call.args.args {
            match inner(arg) {
                Expr::MatrixSelector(matrix) => {
                    let selector = self.selector(&matrix.vs)?;
                    source = Some((Source::Series(selector), matrix.range));
                }
                Expr::Subquery(subquery) => source = Some(self.subquery(subquery)?),
                other => number = Some(Box::new(self.node(other)?)),
            }
        }
        let Some((source, range)) = source else {
            return Err(Refusal::at(call.func.name, "expected a range such as [5m]"));
        };
        Ok(RangeCall {
            function,
            source,
            range: millis(range),
            number,
            nameless: Regroup::nameless(self.store),
        })
    }

    fn subquery(&mut self, expr: &SubqueryExpr) -> Result<(Source, Duration), Refusal> {
        let when = when(expr.offset.as_ref(), expr.at.as_ref())?;
        let inner = Box::new(self.node(&expr.expr)?);
        let step = expr.step.map(millis).filter(|step| *step > 0);
        Ok((
            Source::Query(inner, when, step, Steps::default()),
            expr.range,
        ))
    }
}

/// An expression without its parentheses.
fn inner(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(paren) => inner(&paren.expr),
        other => other,
    }
}

fn unsupported(word: &str, kind: &str) -> Refusal {
    Refusal::at(word, format!("the {kind} `{word}` is not supported"))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn when(offset: Option<&Offset>, at: Option<&AtModifier>) -> Result<When, Refusal> {
    let fixed = match at {
        None => None,
        Some(AtModifier::At(time)) => Some(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => millis(after),
            Err(before) => -millis(before.duration()),
        }),
        Some(AtModifier::Start | AtModifier::End) => {
            return Err(Refusal::at(
                "@",
                "`@ start()` and `@ end()` mean nothing in a rule: expected a time in seconds",
            ));
        }
    };
    let offset = match offset {
        None => 0,
        Some(Offset::Pos(back)) => millis(*back),
        Some(Offset::Neg(ahead)) => -millis(*ahead),
    };
    Ok(When { offset, fixed })
}

fn operator(op: TokenType) -> Result<Op, Refusal> {
    Ok(match op.id() {
        token::T_ADD => Op::Add,
        token::T_SUB => Op::Sub,
        token::T_MUL => Op::Mul,
        token::T_DIV => Op::Div,
        token::T_MOD => Op::Mod,
        token::T_POW => Op::Pow,
        token::T_ATAN2 => Op::Atan2,
        token::T_EQLC => Op::Equal,
        token::T_NEQ => Op::NotEqual,
        token::T_GTR => Op::Greater,
        token::T_LSS => Op::Less,
        token::T_GTE => Op::AtLeast,
        token::T_LTE => Op::AtMost,
        token::T_LAND => Op::And,
        token::T_LOR => Op::Or,
        token::T_LUNLESS => Op::Unless,
        _ => return Err(unsupported(&op.to_string(), "operator")),
    })
}

/// A function of an instant vector or a number.
fn function(name: &str) -> Option<Function> {
    use Function as F;
    Some(match name {
        "abs" => F::Map(f64::abs),
        "ceil" => F::Map(f64::ceil),
        "floor" => F::Map(f64::floor),
        "exp" => F::Map(f64::exp),
        "ln" => F::Map(f64::ln),
        "log2" => F::Map(f64::log2),
        "log10" => F::Map(f64::log10),
        "sqrt" => F::Map(f64::sqrt),
        "sgn" => F::Map(|v| match v {
            v if v > 0.0 => 1.0,
            v if v < 0.0 => -1.0,
            v => v,
        }),
        "round" => F::MapWith(round),
        "clamp" => F::MapWith(|v, n| least(most(v, number(n, 1)), number(n, 0))),
        "clamp_min" => F::MapWith(|v, n| least(v, number(n, 0))),
        "clamp_max" => F::MapWith(|v, n| most(v, number(n, 0))),
        "scalar" => F::Scalar,
        "vector" => F::Vector,
        "time" => F::Time,
        "timestamp" => F::Timestamp,
        "absent" => F::Absent,
        "sort" => F::Sort,
        "sort_desc" => F::SortDesc,
        "histogram_quantile" => F::HistogramQuantile,
        "minute" => F::Date(|t| (t.div_euclid(60).rem_euclid(60)) as f64),
        "hour" => F::Date(|t| (t.div_euclid(3600).rem_euclid(24)) as f64),
        // The epoch was a Thursday.
        "day_of_week" => F::Date(|t| (t.div_euclid(86_400) + 4).rem_euclid(7) as f64),
        "day_of_month" => F::Date(|t| date(t, |d| f64::from(d.day()))),
        "day_of_year" => F::Date(|t| date(t, |d| f64::from(d.day_of_year()))),
        "days_in_month" => F::Date(|t| date(t, |d| f64::from(d.days_in_month()))),
        "month" => F::Date(|t| date(t, |d| f64::from(d.month()))),
        "year" => F::Date(|t| date(t, |d| f64::from(d.year()))),
        _ => return None,
    })
}

fn number(numbers: &[f64], index: usize) -> f64 {
    numbers.get(index).copied().unwrap_or(f64::NAN)
}

/// The larger; NaN wins.
fn least(value: f64, floor: f64) -> f64 {
    if value.is_nan() || floor.is_nan() {
        return f64::NAN;
    }
    value.max(floor)
}

/// The smaller; NaN wins.
fn most(value: f64, ceiling: f64) -> f64 {
    if value.is_nan() || ceiling.is_nan() {
        return f64::NAN;
    }
    value.min(ceiling)
}

/// To the nearest multiple, halves up.
fn round(value: f64, numbers: &[f64]) -> f64 {
    let nearest = numbers.first().copied().unwrap_or(1.0);
    let inverse = 1.0 / nearest;
    (value * inverse + 0.5).floor() / inverse
}

fn date(seconds: i64, part: impl Fn(jiff::civil::Date) -> f64) -> f64 {
    let time = jiff::Timestamp::from_second(seconds);
    time.map_or(f64::NAN, |t| {
        part(t.to_zoned(jiff::tz::TimeZone::UTC).date())
    })
}

/// `label_replace` with fixed texts, as the grammar demands.
fn replace(call: &CallExpr) -> Option<Function> {
    if call.func.name != "label_replace" {
        return None;
    }
    let text = |index: usize| match call.args.args.get(index).map(|e| inner(e)) {
        Some(Expr::StringLiteral(text)) => Some(text.val.clone()),
        _ => None,
    };
    Some(Function::LabelReplace(Replace {
        target: text(1)?,
        with: text(2)?,
        from: text(3)?,
        pattern: Regex::new(&format!("^(?s:{})$", text(4)?)).ok()?,
    }))
}
