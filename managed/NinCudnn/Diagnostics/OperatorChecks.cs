using NinCudnn.Operators;

namespace NinCudnn.Diagnostics;

/// <summary>All operators against plain loops, on small shapes that are awkward for fast code.</summary>
internal static class OperatorChecks
{
    private const string Group = "operators";

    private const string Advice =
        "Update the driver, cuDNN and cuBLAS, or use another element type; if it stays, report it together with this report in JSON.";

    public static IEnumerable<Check> Create() => Enum.GetValues<DataType>()
        .SelectMany(type => ConvolutionChecks.Create(type)
            .Concat(PoolingChecks.Create(type))
            .Concat(KernelChecks.Create(type)))
        .Concat(SgdChecks.Create());

    public static Check Check(string name, DataType type, Func<CheckContext, string> run) => new(Group, name, type, Advice, run);

    /// <summary>A tensor's extents in memory order.</summary>
    public static int[] Nhwc(TensorShape shape) => [shape.N, shape.H, shape.W, shape.C];
}
