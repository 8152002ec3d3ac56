using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>One way in which cuDNN can carry out one direction of a convolution.</summary>
/// <param name="Algorithm">The value in the direction's own enum.</param>
/// <param name="MathType">The arithmetic to set on the convolution descriptor before using it.</param>
/// <param name="WorkspaceBytes">Scratch memory it needs.</param>
internal readonly record struct ConvolutionAlgorithm(int Algorithm, cudnnMathType_t MathType, long WorkspaceBytes);

/// <summary>
/// The policy by which algorithms are admitted. cuDNN's heuristic orders them by expected speed; a result counts only if
/// its status, determinism and arithmetic are acceptable and its workspace, asked for exactly that use, is within the limit.
/// </summary>
internal static class ConvolutionAlgorithms
{
    /// <summary>Asks for the workspace of an algorithm; the status tells whether it is supported at all.</summary>
    public delegate cudnnStatus_t WorkspaceQuery(int algorithm, cudnnMathType_t mathType, out nuint bytes);

    /// <summary>The arithmetic to ask the heuristic for.</summary>
    public static cudnnMathType_t RequestedMathType(OperatorOptions options) => options.DataType switch
    {
        DataType.Float32 when !options.AllowTf32 => cudnnMathType_t.CUDNN_FMA_MATH,
        DataType.Float32 => cudnnMathType_t.CUDNN_DEFAULT_MATH,
        _ => cudnnMathType_t.CUDNN_TENSOR_OP_MATH,
    };

    /// <summary>The admissible ones of the heuristic's results, best first.</summary>
    /// <exception cref="NotSupportedException">None is admissible.</exception>
    public static ConvolutionAlgorithm[] Admit(
        string direction, ConvolutionShape shape, OperatorOptions options,
        IEnumerable<(int Algorithm, cudnnStatus_t Status, cudnnDeterminism_t Determinism, cudnnMathType_t MathType)> results,
        WorkspaceQuery queryWorkspace)
    {
        List<ConvolutionAlgorithm> admitted = [];
        List<string> refusals = [];
        foreach (var (algorithm, status, determinism, reported) in results)
        {
            cudnnMathType_t mathType = reported;
            if (options.DataType == DataType.Float32 && !options.AllowTf32)
            {
                if (reported is not (cudnnMathType_t.CUDNN_DEFAULT_MATH or cudnnMathType_t.CUDNN_FMA_MATH))
                    continue;
                mathType = cudnnMathType_t.CUDNN_FMA_MATH; // DEFAULT would admit TF32
            }

            if (status != cudnnStatus_t.CUDNN_STATUS_SUCCESS)
                refusals.Add($"algorithm {algorithm}: {status}");
            else if (options.Deterministic && determinism != cudnnDeterminism_t.CUDNN_DETERMINISTIC)
                refusals.Add($"algorithm {algorithm}: not deterministic");
            else if (queryWorkspace(algorithm, mathType, out nuint bytes) is var answer && answer != cudnnStatus_t.CUDNN_STATUS_SUCCESS)
                refusals.Add($"algorithm {algorithm}: {answer}");
            else if ((long)bytes > options.WorkspaceLimit)
                refusals.Add($"algorithm {algorithm}: needs {bytes} bytes of workspace, the limit is {options.WorkspaceLimit}");
            else
                admitted.Add(new ConvolutionAlgorithm(algorithm, mathType, (long)bytes));
        }

        if (admitted.Count == 0)
            throw new NotSupportedException($"{direction} of convolution {shape} in {options.DataType}, NHWC: cuDNN offers no admissible algorithm ({string.Join("; ", refusals)})");

        // Alternatives are for the case that the call itself refuses the first; they must do with the first one's workspace.
        admitted.RemoveAll(candidate => candidate.WorkspaceBytes > admitted[0].WorkspaceBytes);
        return [.. admitted];
    }
}
