using System.Runtime.InteropServices;
using Google.Protobuf;
using NinCudnn.Formats.Onnx;

namespace NinCudnn.Formats;

/// <summary>
/// Collects the nodes and constant tensors of an ONNX graph and writes them as one model file. Values are named; a node comes after the
/// nodes whose outputs it takes. What is added is not checked against ONNX's operators.
/// </summary>
internal sealed class OnnxGraph(string name)
{
    /// <summary>
    /// ONNX 1.12 of 2022. Every operator written here has kept its meaning since operator set 14; a later number would only shut out
    /// runtimes that can carry them out.
    /// </summary>
    public const int OperatorSet = 17;

    /// <summary>The most bytes of constants: a protobuf message ends below 2 GiB, and 1 MiB is plenty for everything else.</summary>
    public const long MaxConstantBytes = int.MaxValue - (1 << 20);

    private const int IrVersion = 8; // the file structure that came with that operator set

    private readonly GraphProto _graph = new() { Name = name };

    /// <summary>Goes into the file's <c>metadata_props</c>.</summary>
    public IDictionary<string, string> Metadata { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Adds an input. Its first dimension is free, under the name N.</summary>
    /// <param name="value">The value's name.</param>
    /// <param name="type">Its element type.</param>
    /// <param name="extents">The dimensions behind the first.</param>
    public void AddInput(string value, TensorProto.Types.DataType type, params ReadOnlySpan<int> extents) =>
        _graph.Input.Add(Batch(value, type, extents));

    /// <summary>Adds a float output. Its first dimension is free, under the name N.</summary>
    /// <param name="value">The value's name.</param>
    /// <param name="extents">The dimensions behind the first.</param>
    public void AddOutput(string value, params ReadOnlySpan<int> extents) =>
        _graph.Output.Add(Batch(value, TensorProto.Types.DataType.Float, extents));

    /// <summary>Adds a constant float tensor.</summary>
    /// <param name="value">The value's name.</param>
    /// <param name="shape">The dimensions, outermost first; empty for a scalar.</param>
    /// <param name="elements">All elements in row-major order.</param>
    public void AddConstant(string value, ReadOnlySpan<int> shape, ReadOnlySpan<float> elements)
    {
        var tensor = new TensorProto
        {
            Name = value,
            DataType = (int)TensorProto.Types.DataType.Float,
            RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(elements)),
        };
        foreach (int extent in shape)
            tensor.Dims.Add(extent);
        _graph.Initializer.Add(tensor);
    }

    /// <summary>Adds a node with one output.</summary>
    /// <param name="operation">The operator, for example <c>Conv</c>.</param>
    /// <param name="output">The name of its output, which becomes the node's name too.</param>
    /// <param name="inputs">The names of its inputs, in the operator's order.</param>
    /// <param name="attributes">What else the operator wants to know; see <see cref="Attribute(string, int)"/>.</param>
    /// <returns>The name of its output.</returns>
    public string AddNode(string operation, string output, ReadOnlySpan<string> inputs, params ReadOnlySpan<AttributeProto> attributes)
    {
        var node = new NodeProto { OpType = operation, Name = output, Output = { output } };
        foreach (string input in inputs)
            node.Input.Add(input);
        foreach (AttributeProto attribute in attributes)
            node.Attribute.Add(attribute);
        _graph.Node.Add(node);
        return output;
    }

    /// <summary>An attribute that is one integer.</summary>
    public static AttributeProto Attribute(string name, int value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };

    /// <summary>An attribute that is a list of integers.</summary>
    public static AttributeProto Attribute(string name, int[] values) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Ints, Ints = { values.Select(value => (long)value) } };

    /// <summary>Writes the file: under a temporary name in the same directory, flushed to the disk, then renamed.</summary>
    /// <exception cref="IOException">It can't be written; an earlier file is left as it was.</exception>
    public void Save(string path)
    {
        var model = new ModelProto
        {
            IrVersion = IrVersion,
            ProducerName = "NinCudnn",
            ProducerVersion = typeof(OnnxGraph).Assembly.GetName().Version!.ToString(fieldCount: 3),
            OpsetImport = { new OperatorSetIdProto { Version = OperatorSet } },
            Graph = _graph,
        };
        foreach (var (key, value) in Metadata)
            model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });

        using var file = new AtomicFile(path);
        model.WriteTo(file.Stream);
        file.Finish();
        file.Commit();
    }

    private static ValueInfoProto Batch(string value, TensorProto.Types.DataType type, ReadOnlySpan<int> extents)
    {
        var shape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" } } };
        foreach (int extent in extents)
            shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = extent });
        return new ValueInfoProto
        {
            Name = value,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = shape } },
        };
    }
}
