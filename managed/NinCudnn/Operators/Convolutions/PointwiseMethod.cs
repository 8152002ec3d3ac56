using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>
/// One direction of a 1×1 convolution as a matrix product by cuBLASLt. With M = N·H·W rows the activations are row-major
/// matrices, so y[M,K] = x[M,C]·w[K,C]ᵀ, dx[M,C] = dz[M,K]·w[K,C], dw[K,C] = dz[M,K]ᵀ·x[M,C].
/// </summary>
/// <remarks>
/// cuBLASLt is column-major: a row-major matrix is its transpose there, so each product is asked for transposed, with the
/// operands exchanged. The bias is then one value per row of the result, as its epilogue wants.
/// </remarks>
internal sealed class PointwiseMethod : ConvolutionMethod
{
    private readonly MatrixProduct _product;
    private readonly bool _isFirstLeft;

    private PointwiseMethod(MatrixProduct product, bool isFirstLeft, int rank)
        : base($"cuBLASLt {rank}", product.WorkspaceBytes)
    {
        _product = product;
        _isFirstLeft = isFirstLeft;
    }

    /// <summary>cuBLASLt's methods for a direction, the one that its heuristic takes for the fastest first; none for other convolutions.</summary>
    public static IEnumerable<ConvolutionMethod> Methods(
        DeviceStream stream, ConvolutionShape shape, Activation activation, OperatorOptions options, ConvolutionDirection direction)
    {
        if (!shape.IsPointwise)
            return [];
        long rows = shape.Input.Rows;
        var w = new MatrixLayout(shape.Input.C, shape.K);
        var x = new MatrixLayout(shape.Input.C, rows);
        var y = new MatrixLayout(shape.K, rows);
        MatrixProblem problem = direction switch
        {
            ConvolutionDirection.Forward => new(w, true, x, false, y, activation == Activation.Relu
                ? cublasLtEpilogue_t.CUBLASLT_EPILOGUE_RELU_BIAS
                : cublasLtEpilogue_t.CUBLASLT_EPILOGUE_BIAS),
            ConvolutionDirection.BackwardData => new(w, false, y, false, x, cublasLtEpilogue_t.CUBLASLT_EPILOGUE_DEFAULT),
            _ => new(x, false, y, true, w, cublasLtEpilogue_t.CUBLASLT_EPILOGUE_DEFAULT),
        };
        // Only forward has its left operand, the filter, second.
        bool isFirstLeft = direction != ConvolutionDirection.Forward;
        return MatrixProduct.Find(stream, options, problem).Select((product, rank) => new PointwiseMethod(product, isFirstLeft, rank));
    }

    public override Enum? Run(in ConvolutionOperands operands, DeviceMemory workspace)
    {
        cublasStatus_t status = _isFirstLeft
            ? _product.Run(operands.First, operands.Second, operands.Result, operands.Bias, workspace)
            : _product.Run(operands.Second, operands.First, operands.Result, operands.Bias, workspace);
        if (status == cublasStatus_t.CUBLAS_STATUS_NOT_SUPPORTED)
            return status;
        status.ThrowIfFailed(nameof(CublasLt.cublasLtMatmul));
        return null;
    }

    public override void Dispose() => _product.Dispose();
}
