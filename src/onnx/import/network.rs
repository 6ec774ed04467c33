//! The network as it is put together, node by node of the file.

use std::collections::HashMap;
use std::rc::Rc;

use super::constant::Const;
use super::fold;
use super::front::Front;
use super::names::Names;
use super::node::{Fault, View, unknown};
use crate::network::graph::{Node, NodeId, Op};
use crate::network::shape::Shape;
use crate::onnx::proto::NodeProto;
use crate::weights::Dtype;

/// What a name of the file stands for.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Const(Const),
    Front(Front),
    Net(Net),
    /// The output of what is not known, or of an output that is none here.
    Unknown,
}

/// The output of a node of the network.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Net {
    pub id: NodeId,
    /// Its sizes in the file, the batch's first.
    pub dims: Vec<usize>,
    /// Whether a softmax stands behind the node, which is left out.
    pub softmax: bool,
}

/// A tensor of the network.
pub(super) struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub dtype: Dtype,
    pub data: Rc<Vec<f32>>,
}

/// Operations that are translated, or folded, in some of their forms.
const KNOWN: [&str; 46] = [
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Ceil",
    "Clip",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "Div",
    "Dropout",
    "Flatten",
    "Floor",
    "Gather",
    "Gemm",
    "GlobalAveragePool",
    "Identity",
    "LRN",
    "LogSoftmax",
    "MatMul",
    "Max",
    "MaxPool",
    "Min",
    "Mul",
    "Neg",
    "Pad",
    "Reciprocal",
    "ReduceMean",
    "Relu",
    "Reshape",
    "Resize",
    "Shape",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Swish",
    "Tanh",
    "Transpose",
    "Unsqueeze",
    "ArgMax",
    "TopK",
    "ZipMap",
];

/// A network in the making.
pub(super) struct Network {
    pub nodes: Vec<Node>,
    pub shapes: Vec<Shape>,
    pub tensors: Vec<Tensor>,
    /// What the images were when they came to the first layer.
    pub front: Option<Front>,
    /// Whether bytes go in.
    pub bytes: bool,
    /// Edge of the images where the file leaves it open.
    pub default_size: usize,
    /// What is not known: kind and reason, names of nodes.
    pub unknown: Vec<(String, String)>,
    pub names: Names,
    /// How often each name of the file is taken.
    pub uses: HashMap<String, usize>,
    values: HashMap<String, Value>,
    /// The constant that another name stands for, reshaped or cast.
    origins: HashMap<String, String>,
    /// Values of tensors that may still be taken: a file that takes the same ones again and again is no classifier.
    pub(super) budget: usize,
    /// The layer behind which the images' own normalisation stands, if it could not be read as such.
    planes: Option<Net>,
}

impl Network {
    /// An empty one that takes these images, with the file's constants, which have so many values in all.
    pub fn new(input: &str, front: Front, constants: HashMap<String, Value>, total: usize) -> Self {
        let mut values = constants;
        values.insert(input.to_owned(), Value::Front(front));
        Self {
            nodes: Vec::new(),
            shapes: Vec::new(),
            tensors: Vec::new(),
            front: None,
            bytes: false,
            default_size: 224,
            unknown: Vec::new(),
            names: Names::default(),
            uses: HashMap::new(),
            values,
            origins: HashMap::new(),
            budget: total.saturating_mul(4).saturating_add(1 << 20),
            planes: None,
        }
    }

    /// What a name stands for.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// The name that a constant has in the file, which may have come here under another.
    pub fn origin<'a>(&'a self, name: &'a str) -> &'a str {
        self.origins.get(name).map_or(name, String::as_str)
    }

    /// Translates a node.
    ///
    /// # Errors
    /// The reason, if the file is no good. What is not known is noted.
    pub fn step(&mut self, node: &NodeProto) -> Result<(), String> {
        let called = || name_of(node);
        let mut inputs = Vec::with_capacity(node.input.len());
        for name in &node.input {
            let value = match name.as_str() {
                "" => None,
                name => Some(self.values.get(name).cloned().ok_or_else(|| {
                    let name: String = name.chars().take(80).collect();
                    format!("{} takes {name}, which nothing before it gives", called())
                })?),
            };
            inputs.push(value);
        }
        let lost = inputs
            .iter()
            .any(|value| matches!(value, Some(Value::Unknown)));
        let kind = node.op_type.as_deref().unwrap_or("");
        let result = if !lost {
            self.translate(node, &inputs)
        } else if KNOWN.contains(&kind) {
            Ok(Value::Unknown)
        } else {
            // Behind what is not known, but not known whatever it takes.
            unknown("")
        };
        if let (Ok(Value::Const(_)), "Identity" | "Cast" | "Transpose" | "Reshape") =
            (&result, kind)
            && let (Some(from), Some(to)) = (node.input.first(), node.output.first())
        {
            let from = self.origin(from).to_owned();
            self.origins.insert(to.clone(), from);
        }
        let value = match result {
            Ok(value) => value,
            Err(Fault::Broken(reason)) => return Err(format!("{}: {reason}", called())),
            Err(Fault::Unknown(reason)) => {
                let mut kind: String = node
                    .op_type
                    .as_deref()
                    .unwrap_or("")
                    .chars()
                    .take(40)
                    .collect();
                if !reason.is_empty() {
                    kind = format!("{kind} {reason}");
                }
                self.unknown.push((kind, called()));
                Value::Unknown
            }
        };
        let mut value = Some(value);
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            let value = value.take().unwrap_or(Value::Unknown);
            if self.values.insert(name.clone(), value).is_some() {
                return Err(format!("{} gives a name a second time", called()));
            }
        }
        Ok(())
    }

    fn translate(&mut self, node: &NodeProto, inputs: &[Option<Value>]) -> Result<Value, Fault> {
        if !matches!(node.domain.as_deref(), None | Some("" | "ai.onnx")) {
            let domain: String = node
                .domain
                .iter()
                .flat_map(|d| d.chars())
                .take(40)
                .collect();
            return unknown(format!("of {domain}"));
        }
        let constants: Vec<Option<Const>> = (inputs.iter())
            .map(|value| match value {
                Some(Value::Const(constant)) => Some(constant.clone()),
                _ => None,
            })
            .collect();
        let view = View {
            node,
            constants: &constants,
        };
        if view.op() == "Constant" {
            let constant = constant(&view)?;
            self.budget = self.budget.saturating_add(constant.len().saturating_mul(4));
            return Ok(Value::Const(constant));
        }
        let given = || inputs.iter().flatten();
        if view.op() == "Shape" {
            let sizes = match given().next() {
                Some(Value::Net(net)) => Some(net.dims.clone()),
                Some(Value::Const(constant)) => Some(constant.shape.clone()),
                Some(Value::Front(front)) => self.sized(front).sizes(),
                _ => None,
            };
            return sizes.map_or_else(
                || unknown(""),
                |s| Ok(Value::Const(fold::shape_of(&s, &view))),
            );
        }
        if given().all(|value| matches!(value, Value::Const(_))) {
            return fold::fold(&view).map(Value::Const);
        }
        let fronts: Vec<&Front> = given()
            .filter_map(|value| match value {
                Value::Front(front) => Some(front),
                _ => None,
            })
            .collect();
        if let Some(first) = fronts.first() {
            if view.op() == "Concat" && fronts.len() == inputs.len() {
                return Front::concat(&fronts, view.int("axis", 0)).map(Value::Front);
            }
            if fronts.len() == 1
                && let Some(after) = self.sized(first).after(&view)?
            {
                return Ok(Value::Front(after));
            }
        }
        let mut nets = Vec::with_capacity(inputs.len());
        for value in inputs {
            nets.push(match value {
                Some(Value::Net(net)) => Some(net.clone()),
                Some(Value::Front(front)) => Some(self.enter(front)?),
                _ => None,
            });
        }
        if nets.iter().flatten().any(|net| net.softmax)
            && !matches!(
                view.op(),
                "Identity" | "Cast" | "Reshape" | "Flatten" | "Squeeze"
            )
        {
            return unknown("behind a softmax");
        }
        self.layer(&view, &nets).map(Value::Net)
    }

    /// The same images; what the file leaves open is the size that is said elsewhere.
    fn sized(&self, front: &Front) -> Front {
        let mut front = front.clone();
        front.size = front.size.map(|n| Some(n.unwrap_or(self.default_size)));
        front
    }

    /// The images as the first layer takes them.
    fn enter(&mut self, front: &Front) -> Result<Net, Fault> {
        let front = self.sized(front);
        let ([Some(height), Some(width)], true) = (front.size, front.is_planes()) else {
            return unknown("of images that are not [N,3,H,W], red first");
        };
        if let (Some(seen), Some(planes)) = (&self.front, &self.planes) {
            if *seen == front {
                return Ok(planes.clone());
            }
            return unknown("of images that are normalised in several ways");
        }
        let dims = vec![front.batch, 3, height, width];
        self.nodes.push(Node {
            op: Op::Input(3),
            inputs: vec![],
            name: String::new(),
            stage: 0,
        });
        self.shapes.push([3, height, width]);
        let mut net = Net {
            id: 0,
            dims,
            softmax: false,
        };
        if !front.is_plain() && front.mean_std(self.bytes).is_none() {
            if self.bytes {
                return unknown("of bytes that are turned round");
            }
            if front.is_out_of_range() {
                return unknown("of images by numbers that fit neither 0 to 1 nor 0 to 255");
            }
            let part = |f: fn(&super::front::Affine) -> f64| {
                front.channels.iter().map(|c| f(c) as f32).collect()
            };
            net = self.affine(&net, part(|c| c.times), part(|c| c.plus), "input_norm")?;
        }
        self.front = Some(front);
        self.planes = Some(net.clone());
        Ok(net)
    }

    /// Whether the output of a node is taken once only, under whatever names it goes so far: a cast gives it another.
    pub fn is_taken_once(&self, id: NodeId) -> bool {
        let names = self.values.iter().filter(|(_, value)| match value {
            Value::Net(net) => net.id == id,
            _ => false,
        });
        let mut uses = names.map(|(name, _)| self.uses.get(name).copied().unwrap_or(0));
        uses.all(|uses| uses == 1)
    }
}

/// What a node of the file is called in a message.
pub(super) fn name_of(node: &NodeProto) -> String {
    let own = node.name.as_ref().filter(|name| !name.is_empty());
    let name = own.or(node.output.first()).map_or("", String::as_str);
    let name: String = name.chars().take(80).collect();
    if name.is_empty() {
        "a node without a name".into()
    } else {
        name
    }
}

/// A constant that stands among the nodes.
fn constant(view: &View<'_>) -> Result<Const, Fault> {
    let value = if let Some(setting) = view.get("value") {
        let mut tensor = setting.t.clone().unwrap_or_default();
        Const::read(&mut tensor).map_err(Fault::Broken)?
    } else if let Some(setting) = view.get("value_float") {
        Const::floats(vec![], vec![setting.f.unwrap_or(0.0)])
    } else if let Some(setting) = view.get("value_int") {
        Const::ints(vec![], vec![setting.i.unwrap_or(0)])
    } else if let Some(values) = view.ints("value_ints") {
        Const::ints(vec![values.len()], values.to_vec())
    } else if let Some(setting) = view.get("value_floats") {
        Const::floats(vec![setting.floats.len()], setting.floats.clone())
    } else {
        return unknown("");
    };
    Ok(value)
}
