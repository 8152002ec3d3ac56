using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using NinCudnn.Formats;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>
/// A model in one safetensors file: the parameters under PyTorch's names in OIHW order, and in the metadata what is needed to
/// use them. It holds no code.
/// </summary>
/// <param name="Description">The network and how its input is made.</param>
/// <param name="Parameters">The parameters, by name, in PyTorch's order.</param>
public sealed record ModelFile(ModelDescription Description, IReadOnlyDictionary<string, float[]> Parameters)
{
    private const string ArchitectureKey = "nin.architecture";
    private const string InputKey = "nin.input";

    /// <summary>Writes the file: to a temporary one beside it, which is then renamed.</summary>
    /// <exception cref="ArgumentException">The parts do not fit together.</exception>
    /// <exception cref="IOException">It can't be written; an earlier file is left as it was.</exception>
    public void Save(string path) => Writer().Save(path);

    /// <summary>
    /// Writes the parameters alone, as <c>safetensors.torch.save_file</c> writes a <c>state_dict</c>. <see cref="Import"/> reads them back.
    /// </summary>
    /// <exception cref="ArgumentException">The parts do not fit together.</exception>
    /// <exception cref="IOException">It can't be written; an earlier file is left as it was.</exception>
    public void Export(string path)
    {
        var writer = new SafetensorsWriter { Metadata = { ["format"] = "pt" } }; // by which readers know whose tensors these are
        AddTo(writer);
        writer.Save(path);
    }

    /// <summary>Reads a file that <see cref="Save"/> wrote, or the model of a <see cref="TrainingCheckpoint"/>'s.</summary>
    /// <exception cref="InvalidDataException">
    /// It is not such a file, or a parameter is not finite; the message says on one line what is wrong where.
    /// </exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static ModelFile Load(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        ModelDescription description = ReadDescription(path, file);
        if (file.HasChecksum)
            file.VerifyChecksum();
        return new ModelFile(description, ReadParameters(path, file, description.Architecture));
    }

    /// <summary>Reads what <see cref="Save"/> put into the metadata.</summary>
    /// <exception cref="InvalidDataException">It is not there, or not right.</exception>
    internal static ModelDescription ReadDescription(string path, SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue(ArchitectureKey, out string? architectureJson) || !file.Metadata.TryGetValue(InputKey, out string? inputJson))
            throw new InvalidDataException($"{path}: the metadata has no {ArchitectureKey} or no {InputKey}; it was not written by NinCudnn");
        try
        {
            Architecture architecture = ArchitectureJson.Read(architectureJson);
            InputDescription input = JsonSerializer.Deserialize(inputJson, ModelFileJsonContext.Default.InputDescription)
                ?? throw new InvalidDataException($"{InputKey} is null");
            var description = new ModelDescription(architecture, input.ImageSize, new Normalization(input.Mean, input.Deviation), input.ClassNames);
            description.Validate();
            return description;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidDataException)
        {
            throw new InvalidDataException(MessageText.InFile(path, e.Message), e);
        }
    }

    /// <summary>
    /// Makes a model of a file that holds exactly a network's parameters, in float32, float16 or bfloat16, under the names of a
    /// <c>Sequential</c> of layers in PyTorch: what <c>safetensors.torch.save_file(net.state_dict(), path)</c> writes. Its metadata are ignored.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="description">What the file does not say.</param>
    /// <exception cref="ArgumentException">The description's parts do not fit together.</exception>
    /// <exception cref="InvalidDataException">A tensor is missing, of another shape or type, not finite, or belongs to no parameter.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static ModelFile Import(string path, ModelDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Validate();
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Dictionary<string, float[]> parameters = ReadParameters(path, file, description.Architecture);
        return Unknown(file, parameters.Keys) is { } unknown
            ? throw new InvalidDataException(
                MessageText.OneLine($"{path}: {unknown.Name} ({Extents(unknown.Shape)}) is no parameter of the network {description.Architecture.Name}"))
            : new ModelFile(description, parameters);
    }

    /// <summary>Refuses parts that do not fit together.</summary>
    /// <exception cref="ArgumentException">The message says which.</exception>
    internal void Validate()
    {
        Description.Validate();
        foreach (Parameter parameter in Parameter.Enumerate(Description.Architecture))
        {
            if (!Parameters.TryGetValue(parameter.Name, out float[]? values))
                throw new ArgumentException($"the parameter {parameter.Name} is missing");
            if (values.Length != parameter.Count)
                throw new ArgumentException($"{parameter.Name} has {values.Length} elements, expected {parameter.Count} ({Extents(parameter.Shape)})");
        }
    }

    /// <summary>A writer of the parameters, and in the metadata of what is needed to use them.</summary>
    /// <exception cref="ArgumentException">The parts do not fit together.</exception>
    internal SafetensorsWriter Writer(bool hasChecksum = false)
    {
        var writer = new SafetensorsWriter { HasChecksum = hasChecksum };
        AddTo(writer);
        writer.Metadata[ArchitectureKey] = ArchitectureJson.Write(Description.Architecture);
        writer.Metadata[InputKey] = JsonSerializer.Serialize(
            new InputDescription(Description.ImageSize, [.. Description.Normalization.Mean], [.. Description.Normalization.Deviation], [.. Description.ClassNames]),
            ModelFileJsonContext.Default.InputDescription);
        return writer;
    }

    /// <summary>Reads one tensor for each of an architecture's parameters, by its name behind a prefix.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing, of another shape or type, or not finite.</exception>
    internal static Dictionary<string, float[]> ReadParameters(string path, SafetensorsFile file, Architecture architecture, string prefix = "")
    {
        ImmutableArray<Parameter> parameters = Parameter.Enumerate(architecture);
        foreach (Parameter parameter in parameters)
        {
            string name = prefix + parameter.Name;
            if (!file.Tensors.TryGetValue(name, out SafetensorsTensor? tensor))
            {
                // Names with a prefix are the likely cause, and seen at once beside the right one.
                string instead = Unknown(file, parameters.Select(known => prefix + known.Name)) is { } unknown ? $", but {unknown.Name} ({Extents(unknown.Shape)})" : "";
                throw new InvalidDataException(MessageText.OneLine($"{path}: there is no tensor {name} ({Extents(parameter.Shape)}){instead}"));
            }
            if (!tensor.Shape.SequenceEqual(parameter.Shape))
                throw new InvalidDataException($"{path}: {name} has the shape {Extents(tensor.Shape)}, expected {Extents(parameter.Shape)}");
        }
        return parameters.ToDictionary(parameter => parameter.Name, parameter => ReadFinite(path, file, prefix + parameter.Name));
    }

    private void AddTo(SafetensorsWriter writer)
    {
        Validate();
        foreach (Parameter parameter in Parameter.Enumerate(Description.Architecture))
            writer.Add(parameter.Name, parameter.Shape.AsSpan(), Parameters[parameter.Name]);
    }

    /// <summary>Reads a parameter, and refuses what no training that went well leaves and no prediction can be made with.</summary>
    private static float[] ReadFinite(string path, SafetensorsFile file, string name)
    {
        float[] values = file.ReadSingles(name);
        int bad = Array.FindIndex(values, value => !float.IsFinite(value));
        return bad < 0
            ? values
            : throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture, $"{path}: element {bad} of {name} is {values[bad]}; the training that it is from has diverged, or the file is damaged"));
    }

    /// <summary>The first tensor in the file's order that is none of these.</summary>
    private static SafetensorsTensor? Unknown(SafetensorsFile file, IEnumerable<string> names) =>
        file.Tensors.Values.ExceptBy(names, tensor => tensor.Name).MinBy(tensor => tensor.Begin);

    private static string Extents(IEnumerable<int> shape) => shape.Any() ? string.Join("×", shape) : "scalar";
}

internal sealed record InputDescription(int ImageSize, float[] Mean, float[] Deviation, string[] ClassNames);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, AllowDuplicateProperties = false, RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(InputDescription))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(float[]))]
internal sealed partial class ModelFileJsonContext : JsonSerializerContext;
