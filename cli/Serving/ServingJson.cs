using System.Text.Json.Serialization;

namespace NinCudnn.Cli.Serving;

// What nin serve answers; docs/serving.md describes the fields.

/// <param name="Predictions">The likeliest classes, the likeliest first.</param>
internal sealed record PredictResponse(IReadOnlyList<ServedClass> Predictions);

/// <param name="Class">The class's name.</param>
/// <param name="Label">Its number.</param>
/// <param name="Probability">Its probability.</param>
/// <param name="Map">The class map by rows, if asked for.</param>
internal sealed record ServedClass(string Class, int Label, float Probability, float[][]? Map);

internal sealed record ModelResponse(
    string Architecture, int ImageSize, int Channels, int MapHeight, int MapWidth, string Precision, string Device, IReadOnlyList<string> Classes);

/// <param name="Status"><c>ok</c> or <c>failing</c>.</param>
/// <param name="Reason">Why it fails.</param>
internal sealed record HealthResponse(string Status, string? Reason);

/// <summary>An error as RFC 9457 has it.</summary>
internal sealed record ProblemResponse(string Title, int Status, string Detail);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, // a broken model's scores may be NaN
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PredictResponse))]
[JsonSerializable(typeof(ModelResponse))]
[JsonSerializable(typeof(HealthResponse))]
[JsonSerializable(typeof(ProblemResponse))]
internal sealed partial class ServingJsonContext : JsonSerializerContext;
