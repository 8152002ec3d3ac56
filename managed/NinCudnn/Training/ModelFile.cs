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
    /// <exception cref="IOException">It can't be written; an earlier file is left as it was.</exception>
    public void Save(string path)
    {
        var writer = new SafetensorsWriter();
        writer.Metadata[ArchitectureKey] = ArchitectureJson.Write(Description.Architecture);
        writer.Metadata[InputKey] = JsonSerializer.Serialize(
            new InputDescription(Description.ImageSize, [.. Description.Normalization.Mean], [.. Description.Normalization.Deviation], [.. Description.ClassNames]),
            ModelFileJsonContext.Default.InputDescription);
        foreach (Parameter parameter in Parameter.Enumerate(Description.Architecture))
            writer.Add(parameter.Name, parameter.Shape.AsSpan(), Parameters[parameter.Name]);
        writer.Save(path);
    }

    /// <summary>Reads a file that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is not such a file; the message says what is wrong where.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static ModelFile Load(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (!file.Metadata.TryGetValue(ArchitectureKey, out string? architectureJson) || !file.Metadata.TryGetValue(InputKey, out string? inputJson))
            throw new InvalidDataException($"{path}: the metadata has no {ArchitectureKey} or no {InputKey}; it was not written by NinCudnn");
        try
        {
            Architecture architecture = ArchitectureJson.Read(architectureJson);
            InputDescription input = JsonSerializer.Deserialize(inputJson, ModelFileJsonContext.Default.InputDescription)
                ?? throw new InvalidDataException($"{InputKey} is null");
            architecture.InferShapes(1, input.ImageSize, input.ImageSize);
            if (input.Mean.Length != architecture.InputChannels || input.Deviation.Length != architecture.InputChannels || input.ClassNames.Length != architecture.Classes)
                throw new InvalidDataException($"{InputKey} does not have one mean and deviation per channel and one name per class");
            if (input.Deviation.Any(deviation => !(deviation > 0)))
                throw new InvalidDataException($"{InputKey} has a deviation that is not positive");
            var parameters = new Dictionary<string, float[]>();
            foreach (Parameter parameter in Parameter.Enumerate(architecture))
            {
                if (!file.Tensors.TryGetValue(parameter.Name, out SafetensorsTensor? tensor))
                    throw new InvalidDataException($"there is no tensor {parameter.Name}");
                if (!tensor.Shape.SequenceEqual(parameter.Shape))
                    throw new InvalidDataException($"{parameter.Name} has the shape {string.Join("×", tensor.Shape)}, expected {string.Join("×", parameter.Shape)}");
                parameters.Add(parameter.Name, file.ReadSingles(parameter.Name));
            }
            var description = new ModelDescription(architecture, input.ImageSize, new Normalization(input.Mean, input.Deviation), input.ClassNames);
            return new ModelFile(description, parameters);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidDataException)
        {
            throw new InvalidDataException(e.Message.StartsWith(path, StringComparison.Ordinal) ? e.Message : $"{path}: {e.Message}", e);
        }
    }
}

internal sealed record InputDescription(int ImageSize, float[] Mean, float[] Deviation, string[] ClassNames);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(InputDescription))]
internal sealed partial class ModelFileJsonContext : JsonSerializerContext;
