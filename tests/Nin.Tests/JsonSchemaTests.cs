using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using NinCudnn.Tests;
using NinCudnn.Tests.Data;
using Xunit;

namespace Nin.Tests;

/// <summary>docs/json.md describes exactly the fields that there are.</summary>
public sealed class JsonSchemaTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("start")]
    [InlineData("progress")]
    [InlineData("epoch")]
    [InlineData("end")]
    public void Document_EventOfARun_IsDescribed(string name)
    {
        JsonElement[] events = [.. run.Result.Events.Where(e => e.GetProperty("event").GetString() == name)];

        Assert.NotEmpty(events);
        Assert.All(events, Check);
    }

    [Fact]
    public void Document_DeadNetwork_IsDescribed()
    {
        string network = _root.Write("net.json", Encoding.UTF8.GetBytes(TinyData.SmallNetwork));
        ProgramResult result = NinProgram.Run(
            "train", "--data", run.Data, "--arch", network, "--recipe", "quick", "--schedule", "constant", "--output-scale", "0", "--resize", "16", "--batch", "16",
            "--epochs", "20", "--device", "cpu", "--no-report", "--json", "--output", _root.File("dead"));
        Check(Assert.Single(result.Succeeded().Events, e => e.GetProperty("event").GetString() == "dead"));
        Assert.Equal(9, result.Events[^1].GetProperty("never_predicted").GetArrayLength()); // equal scores make all images one class's
    }

    [Fact]
    public void Document_Evaluation_IsDescribed()
    {
        JsonElement evaluation = Assert.Single(NinProgram.Run("eval", "--checkpoint", run.Path, "--data", run.Data, "--device", "cpu", "--json").Events);

        Check(evaluation);
        Assert.All(evaluation.GetProperty("classes").EnumerateArray(), entry => Check(entry, "classes"));
        Assert.All(evaluation.GetProperty("confusions").EnumerateArray(), entry => Check(entry, "confusions"));
    }

    [Fact]
    public void Document_Prediction_IsDescribed()
    {
        string image = _root.Write("red.png", ImageBytes.Png(5, 4, 255, 0, 0));
        JsonElement prediction = Assert.Single(NinProgram.Run("predict", image, "--checkpoint", run.Path, "--device", "cpu", "--json").Succeeded().Events);

        Check(prediction);
        Assert.All(prediction.GetProperty("predictions").EnumerateArray(), entry => Check(entry, "predictions"));
    }

    [Fact]
    public void Document_EndBeforeAnEpoch_IsDescribed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "sends a signal");
        using NinProgram program = NinProgram.Start(
            "train", "--data", run.Data, "--resize", "200", "--batch", "1", "--device", "cpu", "--json", "--output", _root.File("run"));
        program.WaitForLine("\"event\":\"progress\"");
        program.Signal("INT");

        JsonElement end = program.WaitForExit().Events[^1];

        Check(end);
        Assert.Equal(0, end.GetProperty("epoch").GetInt32());
        string[] unknown = ["train_loss", "train_accuracy", "test_loss", "test_accuracy"];
        Assert.All(unknown, field => Assert.Equal(JsonValueKind.Null, end.GetProperty(field).ValueKind));
    }

    [Fact]
    public void Document_Events_AreThoseThatThereAre() =>
        Assert.Equal(["start", "progress", "dead", "epoch", "end", "evaluation", "classes", "confusions", "prediction", "predictions"], Document().Keys);

    private static void Check(JsonElement value) => Check(value, value.GetProperty("event").GetString()!);

    private static void Check(JsonElement value, string section)
    {
        Dictionary<string, string> documented = Document()[section];
        Assert.Equal(documented.Keys, value.EnumerateObject().Select(property => property.Name));
        Assert.All(value.EnumerateObject(), property =>
            Assert.True(IsOfType(property.Value, documented[property.Name]), $"{property} is not {documented[property.Name]}"));
    }

    private static bool IsOfType(JsonElement value, string type) => type switch
    {
        _ when type.EndsWith(" or null", StringComparison.Ordinal) => value.ValueKind == JsonValueKind.Null || IsOfType(value, type[..^" or null".Length]),
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind == JsonValueKind.Number && Regex.IsMatch(value.GetRawText(), @"^\d+$"),
        "number" => value.ValueKind == JsonValueKind.Number,
        "array" => value.ValueKind == JsonValueKind.Array,
        _ => false,
    };

    /// <summary>Of each event the types of its fields, in the document's order.</summary>
    private static Dictionary<string, Dictionary<string, string>> Document()
    {
        string text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "json.md"));
        return Regex.Matches(text, @"^## (?:Each of )?`(\w+)`$(.*?)(?=^## |\z)", RegexOptions.Multiline | RegexOptions.Singleline).ToDictionary(
            section => section.Groups[1].Value,
            section => Regex.Matches(section.Groups[2].Value, @"^\| `(\w+)` \| ([^|]+) \|", RegexOptions.Multiline)
                .ToDictionary(row => row.Groups[1].Value, row => row.Groups[2].Value.Trim()));
    }
}
