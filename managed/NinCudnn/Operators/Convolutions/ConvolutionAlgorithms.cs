using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>What cuDNN's heuristic says of an algorithm, whose value belongs to the direction's own enum.</summary>
internal readonly record struct AlgorithmOffer(int Algorithm, cudnnStatus_t Status, cudnnDeterminism_t Determinism, cudnnMathType_t MathType);

/// <summary>One way in which cuDNN can carry out one direction of a convolution.</summary>
/// <param name="Algorithm">The value in the direction's own enum.</param>
/// <param name="MathType">The arithmetic to set on the convolution descriptor before using it.</param>
/// <param name="WorkspaceBytes">Scratch memory it needs.</param>
internal readonly record struct ConvolutionAlgorithm(int Algorithm, cudnnMathType_t MathType, long WorkspaceBytes);

/// <summary>
/// The policy by which algorithms are admitted. cuDNN's heuristic orders them by expected speed; an offer counts only if
/// its status, determinism and arithmetic are acceptable and its workspace, asked for exactly that use, is within the limit.
/// </summary>
internal static class ConvolutionAlgorithms
{
    /// <summary>Asks for the workspace of an algorithm; the status tells whether it is supported at all.</summary>
    public delegate cudnnStatus_t WorkspaceQuery(int algorithm, out nuint bytes);

    /// <summary>The arithmetic to ask the heuristic for.</summary>
    public static cudnnMathType_t RequestedMathType(OperatorOptions options) => options.DataType switch
    {
        DataType.Float32 when !options.AllowTf32 => cudnnMathType_t.CUDNN_FMA_MATH,
        DataType.Float32 => cudnnMathType_t.CUDNN_DEFAULT_MATH,
        _ => cudnnMathType_t.CUDNN_TENSOR_OP_MATH,
    };

    /// <summary>The admissible ones among the heuristic's offers, in its order.</summary>
    public static ConvolutionAlgorithm[] Admit(
        IEnumerable<AlgorithmOffer> offers, OperatorOptions options, ConvolutionDescriptor descriptor, WorkspaceQuery queryWorkspace, Action<string> refuse)
    {
        List<ConvolutionAlgorithm> admitted = [];
        foreach (var (algorithm, status, determinism, reported) in offers)
        {
            cudnnMathType_t mathType = reported;
            if (options.DataType == DataType.Float32 && !options.AllowTf32)
            {
                if (reported is not (cudnnMathType_t.CUDNN_DEFAULT_MATH or cudnnMathType_t.CUDNN_FMA_MATH))
                    continue;
                mathType = cudnnMathType_t.CUDNN_FMA_MATH; // DEFAULT would admit TF32
            }

            if (status != cudnnStatus_t.CUDNN_STATUS_SUCCESS)
            {
                refuse($"algorithm {algorithm}: {CudnnStatus.ToVersion9(status)}");
                continue;
            }
            if (options.Deterministic && determinism != cudnnDeterminism_t.CUDNN_DETERMINISTIC)
            {
                refuse($"algorithm {algorithm}: not deterministic");
                continue;
            }
            descriptor.SetMathType(mathType);
            cudnnStatus_t answer = queryWorkspace(algorithm, out nuint bytes);
            if (answer != cudnnStatus_t.CUDNN_STATUS_SUCCESS)
                refuse($"algorithm {algorithm}: {CudnnStatus.ToVersion9(answer)}");
            else if ((long)bytes > options.WorkspaceLimit)
                refuse($"algorithm {algorithm}: needs {bytes} bytes of workspace, the limit is {options.WorkspaceLimit}");
            else
                admitted.Add(new ConvolutionAlgorithm(algorithm, mathType, (long)bytes));
        }
        return [.. admitted];
    }
}
