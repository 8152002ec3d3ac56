using System.Text.Json.Nodes;
using Xunit;

namespace Nin.Tests;

/// <summary>What a run left in its directory, for comparison with another one.</summary>
internal static class FinishedRun
{
    // Of two equal runs these differ.
    private static readonly string[] _changing =
        ["samples_per_second", "seconds", "run_directory", "model", "device_reason", "train_placement", "test_placement", "placement_reason"];

    /// <summary>Fails the test unless model, metrics and result are the same to the bit, whether one was interrupted or not.</summary>
    public static void AssertEqual(string expected, string actual)
    {
        Assert.Equal(Metrics(expected), Metrics(actual));
        Assert.Equal(Fixed(Document(expected)["end"]!), Fixed(Document(actual)["end"]!));
        Assert.Equal("finished", Document(actual)["status"]!.GetValue<string>());
        Assert.Equal(Document(expected)["recipe"]!.ToJsonString(), Document(actual)["recipe"]!.ToJsonString());
        Assert.Equal(File.ReadAllBytes(Path.Combine(expected, "model.safetensors")), File.ReadAllBytes(Path.Combine(actual, "model.safetensors")));
    }

    /// <summary>The run's events without what depends on time and place.</summary>
    public static string[] Metrics(string directory) =>
        [.. File.ReadLines(Path.Combine(directory, "metrics.jsonl")).Select(line => Fixed(JsonNode.Parse(line)!))];

    public static JsonObject Document(string directory) => JsonNode.Parse(File.ReadAllText(Path.Combine(directory, "run.json")))!.AsObject();

    private static string Fixed(JsonNode node)
    {
        JsonObject fields = node.DeepClone().AsObject();
        foreach (string field in _changing)
            fields.Remove(field);
        return fields.ToJsonString();
    }
}
