using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>A packed column-major matrix, as stored.</summary>
/// <param name="Rows">Rows; also the leading dimension.</param>
/// <param name="Columns">Columns.</param>
internal readonly record struct MatrixLayout(long Rows, long Columns)
{
    public long Count => Rows * Columns;
}

/// <summary>
/// One matrix product D = epilogue(op(A)·op(B)) on cuBLASLt with its descriptors and the algorithm chosen once. Column-major.
/// </summary>
internal sealed unsafe class MatrixProduct : IDisposable
{
    // The heuristic looks at the alignment of the bias pointer, which is known here only as that of all plan memory.
    private const ulong AlignedPlaceholder = 256;

    private readonly DeviceStream _stream;
    private readonly MatrixLayout _aLayout;
    private readonly MatrixLayout _bLayout;
    private readonly MatrixLayout _dLayout;
    private readonly int _elementBytes;
    private readonly bool _hasBias;
    private cublasLtMatmulDesc_t _operation;
    private cublasLtMatrixLayout_t _a;
    private cublasLtMatrixLayout_t _b;
    private cublasLtMatrixLayout_t _d;
    private cublasLtMatmulAlgo_t _algorithm;
    private CUdeviceptr _bias;

    private MatrixProduct(
        DeviceStream stream, OperatorOptions options, MatrixLayout a, bool isATransposed, MatrixLayout b, bool isBTransposed,
        MatrixLayout d, cublasLtEpilogue_t epilogue)
    {
        _stream = stream;
        _aLayout = a;
        _bLayout = b;
        _dLayout = d;
        _elementBytes = options.DataType.Bytes();
        _hasBias = epilogue != cublasLtEpilogue_t.CUBLASLT_EPILOGUE_DEFAULT;

        cublasComputeType_t computeType = options is { DataType: DataType.Float32, AllowTf32: true }
            ? cublasComputeType_t.CUBLAS_COMPUTE_32F_FAST_TF32
            : cublasComputeType_t.CUBLAS_COMPUTE_32F;
        CublasLt.cublasLtMatmulDescCreate(out _operation, computeType, cudaDataType_t.CUDA_R_32F).ThrowIfFailed();
        SetTranspose(cublasLtMatmulDescAttributes_t.CUBLASLT_MATMUL_DESC_TRANSA, isATransposed);
        SetTranspose(cublasLtMatmulDescAttributes_t.CUBLASLT_MATMUL_DESC_TRANSB, isBTransposed);
        Set(cublasLtMatmulDescAttributes_t.CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof(cublasLtEpilogue_t));
        if (_hasBias)
            SetBias(new CUdeviceptr(AlignedPlaceholder));

        cudaDataType_t type = options.DataType.ToCuda();
        CublasLt.cublasLtMatrixLayoutCreate(out _a, type, (ulong)a.Rows, (ulong)a.Columns, a.Rows).ThrowIfFailed();
        CublasLt.cublasLtMatrixLayoutCreate(out _b, type, (ulong)b.Rows, (ulong)b.Columns, b.Rows).ThrowIfFailed();
        CublasLt.cublasLtMatrixLayoutCreate(out _d, type, (ulong)d.Rows, (ulong)d.Columns, d.Rows).ThrowIfFailed();
    }

    ~MatrixProduct() => Destroy();

    /// <summary>Scratch memory that <see cref="Run"/> needs.</summary>
    public long WorkspaceBytes { get; private set; }

    /// <summary>The product, or null where cuBLASLt supports it with no algorithm.</summary>
    public static MatrixProduct? TryCreate(
        DeviceStream stream, OperatorOptions options, MatrixLayout a, bool isATransposed, MatrixLayout b, bool isBTransposed,
        MatrixLayout d, cublasLtEpilogue_t epilogue)
    {
        stream.Device.MakeCurrent();
        var product = new MatrixProduct(stream, options, a, isATransposed, b, isBTransposed, d, epilogue);
        if (product.ChooseAlgorithm(options.WorkspaceLimit))
            return product;
        product.Dispose();
        return null;
    }

    /// <summary>Queues the product. D may overlap no other operand.</summary>
    public void Run(DeviceMemory a, DeviceMemory b, DeviceMemory d, DeviceMemory bias, DeviceMemory workspace)
    {
        ObjectDisposedException.ThrowIf(_operation == default, this);
        _stream.Device.MakeCurrent();
        if (_hasBias && bias.Address != _bias)
            SetBias(bias.Address);
        float one = 1, zero = 0;
        void* result = d.Require(_dLayout.Count * _elementBytes);
        fixed (cublasLtMatmulAlgo_t* algorithm = &_algorithm)
        {
            CublasLt.cublasLtMatmul(
                _stream.CublasLt, _operation, &one, a.Require(_aLayout.Count * _elementBytes), _a, b.Require(_bLayout.Count * _elementBytes), _b,
                &zero, result, _d, result, _d, algorithm, workspace.Require(WorkspaceBytes), (nuint)WorkspaceBytes, _stream.Handle).ThrowIfFailed();
        }
    }

    public void Dispose()
    {
        Destroy();
        GC.SuppressFinalize(this);
    }

    private bool ChooseAlgorithm(long workspaceLimit)
    {
        CublasLt.cublasLtMatmulPreferenceCreate(out cublasLtMatmulPreference_t preference).ThrowIfFailed();
        try
        {
            ulong limit = (ulong)workspaceLimit;
            CublasLt.cublasLtMatmulPreferenceSetAttribute(
                preference, cublasLtMatmulPreferenceAttributes_t.CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &limit, sizeof(ulong)).ThrowIfFailed();
            cublasLtMatmulHeuristicResult_t result;
            cublasStatus_t status = CublasLt.cublasLtMatmulAlgoGetHeuristic(
                _stream.CublasLt, _operation, _a, _b, _d, _d, preference, 1, &result, out int count);
            if (status == cublasStatus_t.CUBLAS_STATUS_NOT_SUPPORTED)
                return false;
            status.ThrowIfFailed(nameof(CublasLt.cublasLtMatmulAlgoGetHeuristic));
            if (count == 0 || result.state != cublasStatus_t.CUBLAS_STATUS_SUCCESS)
                return false;
            _algorithm = result.algo;
            WorkspaceBytes = (long)result.workspaceSize;
            return true;
        }
        finally
        {
            _ = CublasLt.cublasLtMatmulPreferenceDestroy(preference);
        }
    }

    private void SetTranspose(cublasLtMatmulDescAttributes_t attribute, bool isTransposed)
    {
        cublasOperation_t operation = isTransposed ? cublasOperation_t.CUBLAS_OP_T : cublasOperation_t.CUBLAS_OP_N;
        Set(attribute, &operation, sizeof(cublasOperation_t));
    }

    private void SetBias(CUdeviceptr bias)
    {
        Set(cublasLtMatmulDescAttributes_t.CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof(ulong));
        _bias = bias;
    }

    private void Set(cublasLtMatmulDescAttributes_t attribute, void* value, int bytes) =>
        CublasLt.cublasLtMatmulDescSetAttribute(_operation, attribute, value, (nuint)bytes).ThrowIfFailed();

    private void Destroy()
    {
        if (_operation != default)
            _ = CublasLt.cublasLtMatmulDescDestroy(_operation);
        if (_a != default)
            _ = CublasLt.cublasLtMatrixLayoutDestroy(_a);
        if (_b != default)
            _ = CublasLt.cublasLtMatrixLayoutDestroy(_b);
        if (_d != default)
            _ = CublasLt.cublasLtMatrixLayoutDestroy(_d);
        _operation = default;
        _a = _b = _d = default;
    }
}
