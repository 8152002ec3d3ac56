using System.Text.Json.Serialization;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Operators;

namespace NinCudnn.Networks;

/// <summary>What a network computes in. Parameters, their momentum and all reductions are float32 throughout.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Precision>))]
public enum Precision
{
    /// <summary>float32.</summary>
    [JsonStringEnumMemberName("fp32")]
    Float32,

    /// <summary>float32 whose products may be rounded to TF32 on GPUs that have it.</summary>
    [JsonStringEnumMemberName("tf32")]
    TensorFloat32,

    /// <summary>bfloat16 activations and gradients.</summary>
    [JsonStringEnumMemberName("bf16")]
    BFloat16,

    /// <summary>float16 activations and gradients, with dynamic loss scaling.</summary>
    [JsonStringEnumMemberName("fp16")]
    Float16,
}

/// <summary>Properties of precisions.</summary>
public static class Precisions
{
    private static readonly Version _firstWithBFloat16 = new(8, 0);

    /// <summary>Element type of activations, gradients, and the parameters that operators read.</summary>
    public static DataType DataType(this Precision precision) => precision switch
    {
        Precision.BFloat16 => Operators.DataType.BFloat16,
        Precision.Float16 => Operators.DataType.Float16,
        _ => Operators.DataType.Float32,
    };

    /// <summary>The same options for this precision.</summary>
    public static OperatorOptions With(this OperatorOptions options, Precision precision)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options with { DataType = precision.DataType(), AllowTf32 = precision == Precision.TensorFloat32 };
    }

    /// <summary>
    /// The fastest precision that trains as float32 does: bfloat16 on GPUs of compute capability 8.0 and later, and on CPUs that
    /// multiply it themselves (the flags avx512_bf16 and amx_bf16 of /proc/cpuinfo); else float32.
    /// </summary>
    public static (Precision Precision, string Reason) Fastest(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.Provider == NativeProvider.Cuda)
        {
            return (device.ComputeCapability >= _firstWithBFloat16 ? Precision.BFloat16 : Precision.Float32,
                $"auto: compute capability {device.ComputeCapability}");
        }
        string? flag = CpuFlags().FirstOrDefault(flag => flag is "avx512_bf16" or "amx_bf16");
        return flag is null
            ? (Precision.Float32, "auto: the CPU does not multiply bfloat16 itself")
            : (Precision.BFloat16, $"auto: the CPU has {flag}");
    }

    private static string[] CpuFlags()
    {
        try
        {
            string? line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal));
            return line?.Split(' ') ?? [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
