using System.Text.Json;
using System.Text.Json.Nodes;
using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

/// <summary>The same command gives the same numbers to the last digit.</summary>
[Trait("Modes", "all")]
public sealed class ReproducibilityTests : IDisposable
{
    private static readonly string[] _changing = ["samples_per_second", "seconds", "run_directory", "model"];

    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public void Train_SameSeedTwice_GivesTheSameNumbersAndModel(string threads)
    {
        string data = TinyData.Write(_root);
        string[] first = Train(data, threads, seed: "5", "first"), second = Train(data, threads, seed: "5", "second");

        Assert.Equal(first, second);
        Assert.Equal(File.ReadAllBytes(_root.File("first/model.safetensors")), File.ReadAllBytes(_root.File("second/model.safetensors")));

        // Without this the comparison above might compare nothing that depends on the computation.
        string[] other = Train(data, threads, seed: "6", "other");
        Assert.Equal(first.Length, other.Length);
        Assert.All(first.Zip(other), pair => Assert.NotEqual(pair.First, pair.Second));
    }

    /// <summary>The run's events without what differs between two equal runs.</summary>
    private string[] Train(string data, string threads, string seed, string name)
    {
        string[] arguments = [.. TinyData.TrainArguments(data), "--recipe", "quick", "--seed", seed, "--json", "--output", _root.File(name)];
        JsonElement[] events = NinProgram.RunIn(null, [("NIN_NUM_THREADS", threads)], arguments).Succeeded().Events;
        return [.. events.Select(e =>
        {
            JsonObject fields = JsonObject.Create(e)!;
            foreach (string field in _changing)
                fields.Remove(field);
            return fields.ToJsonString();
        })];
    }
}
