using System.Collections.Immutable;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Benchmarks;

/// <summary>
/// A GPU by its data sheet, for lower bounds on a step's time that are computed, not measured: each operator takes at least its
/// arithmetic at the peak rate, its bytes at the memory's rate, and a launch.
/// </summary>
/// <param name="Name">The short name.</param>
/// <param name="Description">The full name.</param>
/// <param name="Float32">Peak float32 operations per second outside the tensor cores.</param>
/// <param name="Tf32">Peak dense TF32 operations per second; 0 where there is no TF32.</param>
/// <param name="Float16">Peak dense float16 operations per second with float32 accumulation.</param>
/// <param name="BFloat16">Peak dense bfloat16 operations per second; 0 where there is none.</param>
/// <param name="BytesPerSecond">Memory bandwidth.</param>
/// <param name="Source">Where the figures are from.</param>
public sealed record GpuModel(
    string Name, string Description, double Float32, double Tf32, double Float16, double BFloat16, double BytesPerSecond, string Source)
{
    /// <summary>A kernel of a replayed graph costs about that much more than its work.</summary>
    public static TimeSpan LaunchTime { get; } = TimeSpan.FromMicroseconds(1.5);

    /// <summary>The built-in models.</summary>
    public static ImmutableArray<GpuModel> All { get; } =
    [
        new("h100", "H100 SXM5 80 GB", 66.9e12, 494.7e12, 989.4e12, 989.4e12, 3.35e12, "NVIDIA H100 Tensor Core GPU data sheet, without sparsity"),
        new("a100", "A100 SXM4 80 GB", 19.5e12, 156e12, 312e12, 312e12, 2.039e12, "NVIDIA A100 80 GB data sheet, without sparsity"),
        new("rtx4090", "GeForce RTX 4090", 82.6e12, 82.6e12, 165.2e12, 165.2e12, 1.008e12, "NVIDIA Ada GPU architecture white paper, without sparsity"),
        new("t4", "T4", 8.1e12, 0, 65e12, 0, 0.32e12, "NVIDIA T4 data sheet"),
    ];

    /// <summary>The least time of one operator.</summary>
    /// <exception cref="NotSupportedException">The GPU does not have the type.</exception>
    public TimeSpan LeastTime(PlanStep step, OperatorOptions options)
    {
        ArgumentNullException.ThrowIfNull(step);
        return TimeSpan.FromSeconds(Math.Max(2.0 * step.MultiplyAdds / FlopsPerSecond(options), step.Bytes / BytesPerSecond)) + LaunchTime;
    }

    /// <summary>The peak rate for a type.</summary>
    /// <exception cref="NotSupportedException">The GPU does not have the type.</exception>
    public double FlopsPerSecond(OperatorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        double rate = options switch
        {
            { DataType: DataType.Float16 } => Float16,
            { DataType: DataType.BFloat16 } => BFloat16,
            { AllowTf32: true } => Tf32,
            _ => Float32,
        };
        return rate > 0 ? rate : throw new NotSupportedException($"{Description} has no arithmetic in {(options.AllowTf32 ? "TF32" : options.DataType)}");
    }
}
