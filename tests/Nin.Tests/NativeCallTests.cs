using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

/// <summary>What a run asks of the driver and the libraries, as the host provider reports it (docs/host-provider.md).</summary>
[Trait("Modes", "all")]
public sealed class NativeCallTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Train_ToItsEnd_ReleasesAllThatItMade() =>
        // NinProgram asks for the report, which goes to standard error, where a run that succeeds writes nothing.
        NinProgram.Run(Arguments()).Succeeded();

    [Fact]
    public void Train_StepsBehindTheFirst_AreOneGraphLaunchEach()
    {
        ProgramResult result = NinProgram.RunIn(null, [("NIN_HOST_TRACE", "1")], Arguments());
        Assert.Equal(0, result.ExitCode);

        string[] calls = result.Errors.Split('\n');
        int steps = result.Events.Last(e => e.GetProperty("event").GetString() == "epoch").GetProperty("step").GetInt32();
        int instantiations = Count("cuGraphInstantiateWithFlags"), launches = Count("cuGraphLaunch");
        Assert.True(instantiations > 0);
        // Each plan's first run is made call by call. Evaluations launch graphs too.
        Assert.InRange(launches, steps - instantiations, int.MaxValue);

        int Count(string function) => calls.Count(call => call.Contains(function, StringComparison.Ordinal));
    }

    private string[] Arguments() => [.. TinyData.TrainArguments(TinyData.Write(_root)), "--json", "--output", _root.File("run")];
}
