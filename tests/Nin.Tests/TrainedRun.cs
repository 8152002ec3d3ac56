using System.Text.Json;
using NinCudnn.Tests;

namespace Nin.Tests;

/// <summary>One run of <c>nin train --json</c> on tiny data, which several tests look at.</summary>
public sealed class TrainedRun : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public TrainedRun()
    {
        Data = TinyData.Write(_root);
        Path = _root.File("run");
        Result = NinProgram.Run([.. TinyData.TrainArguments(Data), "--seed", "7", "--json", "--output", Path]).Succeeded();
    }

    public string Data { get; }

    /// <summary>The run's directory.</summary>
    public string Path { get; }

    public string ModelPath => System.IO.Path.Combine(Path, "model.safetensors");

    internal ProgramResult Result { get; }

    public JsonElement LastEpoch => Result.Events.Last(e => e.GetProperty("event").GetString() == "epoch");

    public void Dispose() => _root.Dispose();
}
