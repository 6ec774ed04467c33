//! The figures as markdown.

use std::fmt::Write;

use serde_json::Value;

/// Whole networks, under what they ran on.
pub fn networks(ours: &Value, torch: Option<&Value>) -> String {
    let mut text = heading(ours, torch);
    text.push_str(
        "| network | what | batch | launches | MB of ours | computed, ms | ours, ms | images/s | TFLOP/s | of peak \
         | burn, ms | torch, ms | torch folded, ms | burn / ours | torch / ours | folded / ours |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for row in list(ours, "rows").filter(|row| row["peer"] == "retune") {
        let peer = |figures: Option<&Value>, name: &str| -> Option<Value> {
            let mut rows = list(figures?, "rows");
            let wanted = |other: &&Value| {
                same(row, other) && other["what"] == row["what"] && other["peer"] == name
            };
            rows.find(wanted).cloned()
        };
        let burn = peer(Some(ours), "burn");
        let (plain, folded) = (peer(torch, "torch"), peer(torch, "torch-folded"));
        let mut cells = vec![
            format!("{} {}", word(&row["arch"]), row["size"]),
            word(&row["what"]).to_string(),
            row["batch"].to_string(),
            number(row["launches"].as_f64(), 0),
            number(row["mb_ours"].as_f64(), 0),
            number(row["computed_ms"].as_f64(), 2),
            span(Some(row)),
            number(row["images_s"].as_f64(), 1),
            number(row["tflops"].as_f64(), 2),
            percent(&row["peak_share"]),
        ];
        let peers = [&burn, &plain, &folded];
        cells.extend(peers.map(|peer| span(peer.as_ref())));
        cells.extend(peers.map(|peer| ratio(peer.as_ref(), "ms_median", row)));
        line(&mut text, &cells);
    }
    for note in list(ours, "notes") {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\nNote: {}", word(note));
    }
    text
}

/// Layer by layer; nothing where none was measured.
pub fn layers(ours: &Value, torch: Option<&Value>) -> Option<String> {
    let mut text = String::from(
        "| network | batch | layer | times | kernel | ours, ms | TFLOP/s | of peak | GB/s | limit | burn, ms \
         | torch, ms | burn / ours | torch / ours |\n\
         |---|--:|---|--:|---|--:|--:|--:|--:|---|--:|--:|--:|--:|\n",
    );
    let mut any = false;
    for row in list(ours, "layers") {
        any = true;
        let torch = torch.and_then(|torch| {
            let mut rows = list(torch, "layers");
            rows.find(|other| same(row, other) && other["layer"] == row["layer"])
        });
        let cells = [
            format!("{} {}", word(&row["arch"]), row["size"]),
            row["batch"].to_string(),
            word(&row["layer"]).to_string(),
            row["count"].to_string(),
            word(&row["kernel"]).to_string(),
            number(row["ms_median"].as_f64(), 4),
            number(row["tflops"].as_f64(), 2),
            percent(&row["peak_share"]),
            number(row["gb_s"].as_f64(), 0),
            word(&row["limit"]).to_string(),
            number(row["burn_ms_median"].as_f64(), 4),
            number(torch.and_then(|row| row["ms_median"].as_f64()), 4),
            ratio(Some(row), "burn_ms_median", row),
            ratio(torch, "ms_median", row),
        ];
        line(&mut text, &cells);
    }
    any.then_some(text)
}

/// The machine, and what it was measured to be capable of.
fn heading(ours: &Value, torch: Option<&Value>) -> String {
    let peaks = |figures: &Value| {
        let peak = &figures["peaks"];
        format!(
            "{} TFLOP/s in f32, {} GB/s copying",
            number(peak["fp32_tflops"].as_f64(), 2),
            number(peak["copy_gb_s"].as_f64(), 0)
        )
    };
    let mut text = format!(
        "Adapter: {}; layers by {}; measured peaks: {}.\n",
        word(&ours["adapter"]),
        word(&ours["clock"]),
        peaks(ours)
    );
    if ours["software"] == true {
        text.push_str(
            "**A software adapter: this shows that the bench works, and nothing else.**\n",
        );
    }
    if let Some(torch) = torch {
        let _ = writeln!(
            text,
            "PyTorch {}: {}; measured peaks: {} (a matrix product of {}).",
            word(&torch["torch"]),
            word(&torch["device"]),
            peaks(torch),
            torch["peaks"]["matmul"]
        );
    }
    text.push_str("Times are medians (fastest to slowest).\n\n");
    text
}

fn list<'a>(figures: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    figures[key].as_array().into_iter().flatten()
}

/// Whether both are of one network at one size and batch.
fn same(a: &Value, b: &Value) -> bool {
    ["arch", "size", "batch"].iter().all(|key| a[key] == b[key])
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_string(), |value| format!("{value:.digits$}"))
}

fn percent(value: &Value) -> String {
    let percent = value.as_f64().map(|share| 100.0 * share);
    percent.map_or_else(|| "-".to_string(), |percent| format!("{percent:.1} %"))
}

/// A time with the span round it.
fn span(row: Option<&Value>) -> String {
    let Some(row) = row else {
        return "-".to_string();
    };
    let [median, min, max] =
        ["ms_median", "ms_min", "ms_max"].map(|key| number(row[key].as_f64(), 2));
    format!("{median} ({min} to {max})")
}

/// How often ours fits into the other's time.
fn ratio(other: Option<&Value>, key: &str, ours: &Value) -> String {
    let ratio = other
        .and_then(|row| row[key].as_f64())
        .zip(ours["ms_median"].as_f64())
        .map(|(other, ours)| other / ours);
    number(ratio, 2)
}

fn line(text: &mut String, cells: &[String]) {
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(peer: &str, batch: usize, ms: f64) -> Value {
        json!({
            "arch": "resnet18", "size": 224, "batch": batch, "what": "forward", "peer": peer, "layer": "3x224x224 k7 s2 g1 -> 64",
            "ms_median": ms, "ms_min": ms, "ms_max": ms, "burn_ms_median": 3.0 * ms, "count": 1,
            "kernel": "direct", "limit": "compute", "tflops": 1.5, "peak_share": 0.25, "gb_s": 10.0,
        })
    }

    #[test]
    fn peers_stand_beside_ours_of_the_same_network_and_batch() {
        let ours =
            json!({ "rows": [row("retune", 1, 2.0), row("burn", 1, 5.0), row("retune", 16, 8.0)] });
        let torch = json!({ "rows": [row("torch", 16, 4.0), row("torch-folded", 1, 1.0)] });
        let table = networks(&ours, Some(&torch));
        let cells = |batch: usize| -> Vec<String> {
            let start = format!("| resnet18 224 | forward | {batch} | ");
            let line = table.lines().find(|line| line.starts_with(&start));
            let cells = line.expect("a line").split(" | ").skip(13);
            cells.map(|cell| cell.replace(" |", "")).collect()
        };
        assert_eq!(cells(1), ["2.50", "-", "0.50"]);
        assert_eq!(cells(16), ["-", "0.50", "-"]);
    }

    #[test]
    fn a_training_step_has_its_own_peers_and_no_time_by_the_model() {
        let [mut forward, mut step, mut other] = [2.0, 6.0, 9.0].map(|ms| row("retune", 16, ms));
        forward["computed_ms"] = json!(1.25);
        for row in [&mut step, &mut other] {
            row["what"] = json!("step");
            row["launches"] = json!(500);
        }
        other["peer"] = json!("torch");
        let table = networks(
            &json!({ "rows": [forward, step] }),
            Some(&json!({ "rows": [row("torch", 16, 1.0), other] })),
        );
        assert!(
            table.contains("| forward | 16 | - | - | 1.25 | 2.00 (2.00 to 2.00) |"),
            "{table}"
        );
        assert!(
            table.contains("| step | 16 | 500 | - | - | 6.00 (6.00 to 6.00) |"),
            "{table}"
        );
        let ratios: Vec<_> = table
            .lines()
            .filter_map(|line| line.rsplit(" | ").nth(1))
            .collect();
        assert_eq!(ratios[1..], ["0.50", "1.50"], "{table}");
    }

    #[test]
    fn layers_are_matched_by_name_and_need_no_peer() {
        assert_eq!(layers(&json!({ "layers": [] }), None), None);
        let ours = json!({ "layers": [row("retune", 1, 2.0)] });
        let alone = layers(&ours, None).expect("a table");
        assert!(alone.contains("| 6.0000 | - | 3.00 | - |"), "{alone}");
        let torch = json!({ "layers": [row("torch", 1, 1.0)] });
        let both = layers(&ours, Some(&torch)).expect("a table");
        assert!(both.contains("| 6.0000 | 1.0000 | 3.00 | 0.50 |"), "{both}");
    }
}
