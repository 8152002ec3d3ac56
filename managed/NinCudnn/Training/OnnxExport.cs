using System.Globalization;
using System.Text.Json;
using NinCudnn.Formats;
using NinCudnn.Formats.Onnx;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>What an exported network takes.</summary>
public enum OnnxInput
{
    /// <summary>float32 as the network sees it: (pixel / 255 − mean) / deviation.</summary>
    Normalized,

    /// <summary>uint8 pixels from 0 to 255; scaling and normalising are part of the graph.</summary>
    Pixels,
}

/// <summary>
/// Writes models as ONNX files for other runtimes. The graph takes <c>input</c> (N, C, H, W) with any N, of the model's image size; images
/// are resized before. It gives <c>logits</c> (N, classes). Dropout, which does nothing outside training, is left out. Parameters have PyTorch's
/// names, and every other value the number of the layer in PyTorch's <c>Sequential</c> that makes it, such as <c>0.2</c>. The metadata hold
/// <c>class_names</c>, <c>mean</c> and <c>deviation</c> as JSON lists.
/// </summary>
public static class OnnxExport
{
    private const string Input = "input";
    private const string Logits = "logits";

    /// <summary>Writes the file: to a temporary one beside it, which is then renamed.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file to create or replace; its directory must exist.</param>
    /// <param name="input">What the graph takes.</param>
    /// <exception cref="ArgumentException">The model's parts do not fit together, or its parameters exceed the 2 GiB of an ONNX file.</exception>
    /// <exception cref="IOException">It can't be written; an earlier file is left as it was.</exception>
    public static void Save(ModelFile model, string path, OnnxInput input = OnnxInput.Normalized)
    {
        ArgumentNullException.ThrowIfNull(model);
        ModelDescription description = model.Description;
        Architecture architecture = description.Architecture;
        long bytes = Parameter.Enumerate(architecture).Sum(parameter => (long)parameter.Count) * sizeof(float);
        if (bytes > OnnxGraph.MaxConstantBytes)
            throw new ArgumentException($"{architecture.Name} has {bytes} bytes of parameters, an ONNX file can hold {OnnxGraph.MaxConstantBytes}");
        model.Validate();

        var graph = new OnnxGraph(architecture.Name);
        graph.Metadata["class_names"] = JsonSerializer.Serialize(description.ClassNames.ToArray(), ModelFileJsonContext.Default.StringArray);
        graph.Metadata["mean"] = JsonSerializer.Serialize(description.Normalization.Mean.ToArray(), ModelFileJsonContext.Default.SingleArray);
        graph.Metadata["deviation"] = JsonSerializer.Serialize(description.Normalization.Deviation.ToArray(), ModelFileJsonContext.Default.SingleArray);

        bool takesPixels = input == OnnxInput.Pixels;
        graph.AddInput(
            Input, takesPixels ? TensorProto.Types.DataType.Uint8 : TensorProto.Types.DataType.Float,
            architecture.InputChannels, description.ImageSize, description.ImageSize);
        string value = takesPixels ? AddScaling(graph, description.Normalization) : Input;
        for (int i = 0; i < architecture.Layers.Length; i++)
            value = AddLayer(graph, architecture.Layers[i], i, value);
        graph.AddOutput(value, architecture.Classes);
        foreach (Parameter parameter in Parameter.Enumerate(architecture))
            graph.AddConstant(parameter.Name, parameter.Shape.AsSpan(), model.Parameters[parameter.Name]);
        graph.Save(path);
    }

    private static string AddScaling(OnnxGraph graph, Normalization normalization)
    {
        int channels = normalization.Mean.Count;
        graph.AddConstant("scaling.range", [], [255]);
        graph.AddConstant("scaling.mean", [channels, 1, 1], [.. normalization.Mean]);
        graph.AddConstant("scaling.deviation", [channels, 1, 1], [.. normalization.Deviation]);
        string value = graph.AddNode("Cast", "scaling.0", [Input], OnnxGraph.Attribute("to", (int)TensorProto.Types.DataType.Float));
        value = graph.AddNode("Div", "scaling.1", [value, "scaling.range"]);
        value = graph.AddNode("Sub", "scaling.2", [value, "scaling.mean"]);
        return graph.AddNode("Div", "scaling.3", [value, "scaling.deviation"]);
    }

    private static string AddLayer(OnnxGraph graph, Layer layer, int number, string input)
    {
        string name = number.ToString(CultureInfo.InvariantCulture);
        switch (layer)
        {
            case NinBlock block:
                string value = AddConvolution(graph, name, 0, input, block.Kernel, block.Stride, block.Padding);
                for (int i = 1; i <= block.PointwiseChannels.Length; i++)
                    value = AddConvolution(graph, name, i, value, kernel: 1, stride: 1, padding: 0);
                return value;
            case MaxPool pool:
                return graph.AddNode("MaxPool", name, [input], Window(pool.Window, pool.Stride, pool.Padding));
            case DropoutLayer:
                return input;
            case GlobalAveragePool:
                return graph.AddNode("GlobalAveragePool", name, [input]);
            case Flatten:
                return graph.AddNode("Flatten", Logits, [input], OnnxGraph.Attribute("axis", 1));
            default:
                throw new ArgumentException($"layer {name} ({Architecture.Describe(layer)}) has no counterpart in ONNX");
        }
    }

    /// <summary>Adds the convolution at a place within a block, and its rectifier, which counts as a module in PyTorch's names.</summary>
    private static string AddConvolution(OnnxGraph graph, string block, int place, string input, int kernel, int stride, int padding)
    {
        string name = $"{block}.{2 * place}";
        string value = graph.AddNode("Conv", name, [input, $"{name}.weight", $"{name}.bias"], Window(kernel, stride, padding));
        return graph.AddNode("Relu", $"{block}.{2 * place + 1}", [value]);
    }

    private static AttributeProto[] Window(int extent, int stride, int padding) =>
    [
        OnnxGraph.Attribute("kernel_shape", [extent, extent]),
        OnnxGraph.Attribute("strides", [stride, stride]),
        OnnxGraph.Attribute("pads", [padding, padding, padding, padding]), // top, left, bottom, right
    ];
}
