//! Compound scaling: numbers to set, what a network becomes by them, and its growth over phi.

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::network::families::scaling::Growth;
use crate::network::scaled::{Point, at};
use crate::ui::{
    anatomy::{
        Explore, Explorer,
        scaling::{BASES, Factor, LAST, curve, first_step, published},
    },
    chart::{Axis, Scale, ceiling},
    components::plot::{Line, plot},
    shared::Shared,
    text,
};

/// What is set.
#[derive(PartialEq, Properties)]
pub struct ScalingProps {
    /// Base and factors.
    pub explorer: Shared<Explorer>,
    /// Told what the user sets.
    pub on: Callback<Explore>,
}

/// The view.
#[component]
pub fn Scaling(props: &ScalingProps) -> Html {
    let ScalingProps { explorer, on } = props;
    let base = explorer.base();
    let growth = explorer.growth();
    let curve = use_memo((base, growth.map(|g| g.1)), |(base, growth)| {
        growth.map(|growth| curve(*base, growth))
    });
    let members = use_memo(base, |base| published(*base));
    let now = use_memo((base, growth), |(base, growth)| {
        growth.map(|(phi, growth)| at(*base, growth, phi).map_err(|e| e.to_string()))
    });
    let choose = on.reform(|event: Event| {
        let name = event.target_unchecked_into::<HtmlSelectElement>().value();
        let chosen = BASES.into_iter().find(|(base, _)| *base == name);
        Explore::Base(chosen.unwrap_or(BASES[0]).1)
    });
    let as_published = on.reform(|_: MouseEvent| Explore::AsPublished);
    html! {
        <>
            <h3>{ "Compound scaling" }</h3>
            <p class="lead">
                { "A network is made deeper by alpha, wider by beta and its images finer by gamma, phi times over. The \
                   paper (Tan and Le 2019) keeps alpha × beta² × gamma² near 2." }
            </p>
            <div class="settings">
                <div class="field">
                    <label for="scaling-base">{ "Base" }</label>
                    <select id="scaling-base" data-testid="scaling-base" onchange={choose}>
                        { for BASES.into_iter().map(|(name, arch)| html! {
                            <option value={name} selected={arch == base}>{ name }</option>
                        }) }
                    </select>
                </div>
                { for Factor::ALL.into_iter().map(|factor| input(explorer, on, factor)) }
            </div>
            <div class="actions">
                <button type="button" data-testid="scaling-published" onclick={as_published}>
                    { "The paper's alpha, beta, gamma" }
                </button>
            </div>
            if let Some((_, growth)) = growth {
                { constraint(growth, curve.as_ref().as_ref().and_then(|curve| first_step(curve))) }
            }
            { match &*now {
                Some(Ok(point)) => facts(point),
                Some(Err(why)) => html! { <p class="muted">{ format!("Not counted: {why}.") }</p> },
                None => Html::default(),
            } }
            if let Some(curve) = &*curve {
                { charts(curve, &members, now.as_ref().as_ref().and_then(|now| now.as_ref().ok())) }
            }
        </>
    }
}

/// A number with what it does; phi can be drawn along as well.
fn input(explorer: &Explorer, on: &Callback<Explore>, factor: Factor) -> Html {
    let oninput = on.reform(move |event: InputEvent| {
        let input: HtmlInputElement = event.target_unchecked_into();
        Explore::Typed(factor, input.value())
    });
    let id = format!("scaling-{}", factor.name());
    let hint = format!("{id}-hint");
    let number = explorer.factor(factor);
    let (low, high) = factor.range();
    let value = explorer.shown(factor);
    html! {
        <div class="field" key={factor.name()}>
            <label for={id.clone()}>{ factor.title() }</label>
            <input type="text" inputmode="decimal" autocomplete="off" id={id.clone()} data-testid={id.clone()}
                value={value} oninput={oninput.clone()} aria-invalid={number.is_err().to_string()}
                aria-describedby={hint.clone()} />
            <p id={hint} class={classes!("hint", number.is_err().then_some("problem"))}>
                if let Err(problem) = &number {
                    { problem }
                } else {
                    <input type="range" data-testid={format!("{id}-range")} min={low.to_string()} max={high.to_string()}
                        step={if factor == Factor::Phi { "0.5" } else { "0.01" }} value={number.unwrap_or(low).to_string()}
                        aria-label={factor.title()} {oninput} />
                }
            </p>
        </div>
    }
}

fn constraint(growth: Growth, first: Option<f64>) -> Html {
    html! {
        <p class={classes!((!growth.doubles()).then_some("problem"))} data-testid="scaling-constraint"
            data-doubles={growth.doubles().to_string()} role="status">
            { format!("alpha × beta² × gamma² = {:.2}. ", growth.step()) }
            { text::constraint(growth, first) }
        </p>
    }
}

fn facts(point: &Point) -> Html {
    let fact = |name: &str, value: String| html! { <div><dt>{ name }</dt><dd>{ value }</dd></div> };
    let scale = &point.scale;
    html! {
        <dl class="facts" data-testid="scaling-facts" data-edge={point.edge.to_string()}
            data-parameters={point.cost.parameters.to_string()} data-multiply-adds={point.cost.multiply_adds.to_string()}>
            { fact("Depth d = alpha^phi", format!("× {:.3}", scale.depth)) }
            { fact("Width w = beta^phi", format!("× {:.3}", scale.width)) }
            { fact("Resolution r = gamma^phi", format!("× {:.3}, {1} × {1} pixels", scale.resolution, point.edge)) }
            { fact("Parameters", text::count(point.cost.parameters)) }
            { fact("Multiply-adds for an image", text::count(point.cost.multiply_adds)) }
            { fact("Counted with", "a head of 1000 classes".to_owned()) }
        </dl>
    }
}

fn charts(curve: &[Point], members: &[(&'static str, Point)], now: Option<&Point>) -> Html {
    let chart = |title: &'static str, of: fn(&Point) -> u64| {
        let all = curve.iter().chain(members.iter().map(|member| &member.1));
        let scale = Scale {
            first: 0.0,
            epochs: LAST,
            y: Axis::Linear(ceiling(all.map(|point| of(point) as f64))),
        };
        let mut line = Line::new("val", scale, curve.iter().map(|p| (p.phi, of(p) as f64)));
        line.end = now.map(|p| scale.point(p.phi, of(p) as f64));
        let marks = members.iter().map(|(name, point)| {
            let (x, y) = scale.point(point.phi, of(point) as f64);
            (x, y, *name)
        });
        let published = Line {
            class: "train".into(),
            points: String::new(),
            end: None,
            marks: marks.collect(),
        };
        let caption = html! {
            <>
                <span>{ title }</span>
                <span class="key val">{ "by the formula" }</span>
                if !members.is_empty() {
                    <span class="key dot">{ "published" }</span>
                }
            </>
        };
        plot(
            title,
            "phi",
            caption,
            scale,
            vec![line, published],
            text::large,
        )
    };
    html! {
        <>
            <div class="charts" data-testid="scaling-charts" data-points={curve.len().to_string()}
                data-members={members.len().to_string()}>
                { chart("Parameters", |point| point.cost.parameters) }
                { chart("Multiply-adds", |point| point.cost.multiply_adds) }
            </div>
            if !members.is_empty() {
                <p class="hint">
                    { "B0 to B7 stand at the phi that gives the edge of their images by the paper's gamma. Their depth and \
                       width are rounded by other steps, so they lie beside the line." }
                </p>
            }
            { table(curve, members) }
        </>
    }
}

/// The numbers of the charts.
fn table(curve: &[Point], members: &[(&'static str, Point)]) -> Html {
    let row = |name: String, point: &Point| {
        let scale = &point.scale;
        html! {
            <tr>
                <th scope="row">{ name }</th>
                <td class="number">{ format!("{:.2}", point.phi) }</td>
                <td class="number">{ format!("{:.2}", scale.depth) }</td>
                <td class="number">{ format!("{:.2}", scale.width) }</td>
                <td class="number">{ point.edge }</td>
                <td class="number">{ text::large(point.cost.parameters as f64) }</td>
                <td class="number">{ text::large(point.cost.multiply_adds as f64) }</td>
            </tr>
        }
    };
    let whole = curve.iter().filter(|point| point.phi.fract() == 0.0);
    html! {
        <details data-testid="scaling-table">
            <summary>{ "The numbers" }</summary>
            <div class="scroll">
                <table>
                    <thead><tr>
                        <th scope="col">{ "Network" }</th>
                        <th scope="col" class="number">{ "phi" }</th>
                        <th scope="col" class="number">{ "d" }</th>
                        <th scope="col" class="number">{ "w" }</th>
                        <th scope="col" class="number">{ "Edge" }</th>
                        <th scope="col" class="number">{ "Parameters" }</th>
                        <th scope="col" class="number">{ "Multiply-adds" }</th>
                    </tr></thead>
                    <tbody>
                        { for whole.map(|point| row("by the formula".to_owned(), point)) }
                        { for members.iter().map(|(name, point)| row(format!("{name}, published"), point)) }
                    </tbody>
                </table>
            </div>
        </details>
    }
}
