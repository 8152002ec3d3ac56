using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>
/// A 1×1 convolution as matrix products by cuBLASLt. With M = N·H·W rows the activations are row-major matrices, so
/// y[M,K] = x[M,C]·w[K,C]ᵀ, dx[M,C] = dz[M,K]·w[K,C], dw[K,C] = dz[M,K]ᵀ·x[M,C].
/// </summary>
/// <remarks>
/// cuBLASLt is column-major: a row-major matrix is its transpose there, so each product is asked for transposed, with the
/// operands exchanged. The bias is then one value per row of the result, as its epilogue wants.
/// </remarks>
internal sealed unsafe class PointwiseConvolution : ConvolutionOperator
{
    private readonly MatrixProduct _forward;
    private readonly MatrixProduct _backwardData;
    private readonly MatrixProduct _backwardFilter;

    private PointwiseConvolution(
        DeviceStream stream, ConvolutionShape shape, Activation activation, OperatorOptions options,
        MatrixProduct forward, MatrixProduct backwardData, MatrixProduct backwardFilter)
        : base(stream, shape, activation, options)
    {
        _forward = forward;
        _backwardData = backwardData;
        _backwardFilter = backwardFilter;
    }

    public override long ForwardWorkspaceBytes => _forward.WorkspaceBytes;

    public override long BackwardDataWorkspaceBytes => _backwardData.WorkspaceBytes;

    public override long BackwardFilterWorkspaceBytes => _backwardFilter.WorkspaceBytes;

    /// <summary>The operator, or null where cuBLASLt has no algorithm for one of the three products.</summary>
    public static PointwiseConvolution? TryCreate(DeviceStream stream, ConvolutionShape shape, Activation activation, OperatorOptions options)
    {
        shape.Validate();
        long rows = shape.Input.Rows;
        int c = shape.Input.C, k = shape.K;
        var w = new MatrixLayout(c, k);
        var x = new MatrixLayout(c, rows);
        var y = new MatrixLayout(k, rows);
        cublasLtEpilogue_t epilogue = activation == Activation.Relu
            ? cublasLtEpilogue_t.CUBLASLT_EPILOGUE_RELU_BIAS
            : cublasLtEpilogue_t.CUBLASLT_EPILOGUE_BIAS;
        MatrixProduct? forward = MatrixProduct.TryCreate(
            stream, options, w, isATransposed: true, x, isBTransposed: false, y, epilogue);
        MatrixProduct? backwardData = MatrixProduct.TryCreate(
            stream, options, w, isATransposed: false, y, isBTransposed: false, x, cublasLtEpilogue_t.CUBLASLT_EPILOGUE_DEFAULT);
        MatrixProduct? backwardFilter = MatrixProduct.TryCreate(
            stream, options, x, isATransposed: false, y, isBTransposed: true, w, cublasLtEpilogue_t.CUBLASLT_EPILOGUE_DEFAULT);
        if (forward is not null && backwardData is not null && backwardFilter is not null)
            return new PointwiseConvolution(stream, shape, activation, options, forward, backwardData, backwardFilter);

        forward?.Dispose();
        backwardData?.Dispose();
        backwardFilter?.Dispose();
        return null;
    }

    public override void Forward(DeviceMemory x, DeviceMemory w, DeviceMemory b, DeviceMemory y, DeviceMemory workspace)
    {
        b.Require(BiasBytes);
        _forward.Run(w, x, y, b, workspace);
    }

    public override void BackwardData(DeviceMemory w, DeviceMemory dz, DeviceMemory dx, DeviceMemory workspace) =>
        _backwardData.Run(w, dz, dx, default, workspace);

    public override void BackwardFilter(DeviceMemory x, DeviceMemory dz, DeviceMemory dw, DeviceMemory workspace) =>
        _backwardFilter.Run(x, dz, dw, default, workspace);

    public override void Dispose()
    {
        _forward.Dispose();
        _backwardData.Dispose();
        _backwardFilter.Dispose();
    }
}
