//! A graph under construction: nodes by what they compute, values by name.

use super::proto::{
    AttributeProto, AttributeType, DataType, DimensionProto, GraphProto, NodeProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};

/// Name of the dimension of the images.
const BATCH: &str = "n";

/// The name of a value.
pub type Value = String;

/// Nodes and constants so far.
#[derive(Debug, Default)]
pub struct Graph(GraphProto);

impl Graph {
    /// A graph without nodes.
    pub fn new(name: &str) -> Self {
        Self(GraphProto {
            name: name.to_owned(),
            ..GraphProto::default()
        })
    }

    /// A matrix that is given, `[n, length]`.
    pub fn input(&mut self, name: &str, length: usize, doc: &str) -> Value {
        self.0.input.push(value_info(name, &[length], doc));
        name.to_owned()
    }

    /// What the graph computes: the value of that name, `[n, shape..]`.
    pub fn output(&mut self, name: &str, shape: &[usize], doc: &str) {
        self.0.output.push(value_info(name, shape, doc));
    }

    /// A constant of f32.
    pub fn floats(&mut self, name: String, shape: &[usize], values: &[f32]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.constant(name, shape, DataType::Float, bytes.collect())
    }

    /// A constant list of i64. The same name always has the same values.
    pub fn ints(&mut self, name: &str, values: &[i64]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        let shape = [values.len()];
        self.constant(name.to_owned(), &shape, DataType::Int64, bytes.collect())
    }

    fn constant(&mut self, name: String, shape: &[usize], kind: DataType, bytes: Vec<u8>) -> Value {
        let known = self.0.initializer.iter();
        if let Some(known) = known.clone().find(|known| known.name == name) {
            assert_eq!(known.raw_data, bytes, "{name} has two values");
            return name;
        }
        self.0.initializer.push(TensorProto {
            dims: shape.iter().map(|&length| length as i64).collect(),
            data_type: kind.into(),
            name: name.clone(),
            raw_data: bytes,
        });
        name
    }

    /// A node with one output, which has the node's name.
    pub fn node(
        &mut self,
        operator: &str,
        name: impl Into<String>,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> Value {
        let name = name.into();
        self.nodes(
            operator,
            name.clone(),
            inputs,
            attributes,
            vec![name.clone()],
        );
        name
    }

    /// A node with several outputs.
    pub fn nodes(
        &mut self,
        operator: &str,
        name: String,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
        outputs: Vec<Value>,
    ) {
        self.0.node.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: outputs,
            name,
            op_type: operator.to_owned(),
            attribute: attributes,
        });
    }

    /// The message.
    pub fn finish(self) -> GraphProto {
        self.0
    }
}

/// An attribute that is a whole number.
pub fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        i: Some(value),
        r#type: AttributeType::Int.into(),
        ..AttributeProto::default()
    }
}

/// An attribute that is a list of whole numbers.
pub fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        ints: values.to_vec(),
        r#type: AttributeType::Ints.into(),
        ..AttributeProto::default()
    }
}

/// An attribute that is text.
pub fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        s: Some(value.as_bytes().to_vec()),
        r#type: AttributeType::String.into(),
        ..AttributeProto::default()
    }
}

/// An f32 tensor `[n, shape..]`.
fn value_info(name: &str, shape: &[usize], doc: &str) -> ValueInfoProto {
    let batch = DimensionProto {
        dim_value: None,
        dim_param: Some(BATCH.to_owned()),
    };
    let lengths = shape.iter().map(|&length| DimensionProto {
        dim_value: Some(length as i64),
        dim_param: None,
    });
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto {
                elem_type: DataType::Float.into(),
                shape: Some(TensorShapeProto {
                    dim: std::iter::once(batch).chain(lengths).collect(),
                }),
            }),
        }),
        doc_string: doc.to_owned(),
    }
}
