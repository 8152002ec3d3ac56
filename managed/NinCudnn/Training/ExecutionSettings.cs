using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>How algorithms are chosen.</summary>
public enum AlgorithmChoice
{
    /// <summary>Measured on a GPU; the host provider's own order on the CPU, where its methods hardly differ.</summary>
    Auto,

    /// <summary>By running all that are offered; choices are kept on disk, see <see cref="TuningCache"/>.</summary>
    Measured,

    /// <summary>As the libraries' heuristics say.</summary>
    Heuristic,
}

/// <summary>How a recipe is carried out on a device. It changes speed and memory, and by the algorithms the rounding of results.</summary>
public sealed record ExecutionSettings
{
    /// <summary>How convolution algorithms are chosen.</summary>
    public AlgorithmChoice Algorithms { get; init; }

    /// <summary>Whether only algorithms that repeat bit for bit are admitted.</summary>
    public bool Deterministic { get; init; } = true;

    /// <summary>The most scratch memory that one call may ask for, in bytes.</summary>
    public long WorkspaceLimit { get; init; } = new OperatorOptions().WorkspaceLimit;

    /// <summary>Where the data sets lie.</summary>
    public DataPlacement DataPlacement { get; init; }

    /// <summary>The operators' options for a precision.</summary>
    public OperatorOptions Operators(Precision precision) =>
        new OperatorOptions { Deterministic = Deterministic, WorkspaceLimit = WorkspaceLimit }.With(precision);

    internal ConvolutionTuner? CreateTuner(DeviceStream stream) => Algorithms switch
    {
        AlgorithmChoice.Auto when stream.Device.Provider == NativeProvider.Host => null,
        AlgorithmChoice.Heuristic => null,
        _ => new ConvolutionTuner(stream, new TuningCache(stream.Device)),
    };
}
