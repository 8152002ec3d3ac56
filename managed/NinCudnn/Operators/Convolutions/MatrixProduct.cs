using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>A packed column-major matrix, as stored.</summary>
/// <param name="Rows">Rows; also the leading dimension.</param>
/// <param name="Columns">Columns.</param>
internal readonly record struct MatrixLayout(long Rows, long Columns);

/// <summary>A product D = epilogue(op(A)·op(B)), column-major.</summary>
internal sealed record MatrixProblem(MatrixLayout A, bool IsATransposed, MatrixLayout B, bool IsBTransposed, MatrixLayout D, cublasLtEpilogue_t Epilogue);

/// <summary>
/// A matrix product on cuBLASLt with its descriptors and an algorithm.
/// </summary>
internal sealed unsafe class MatrixProduct : IDisposable
{
    // The heuristic looks at the alignment of the bias pointer, which is known here only as that of all plan memory.
    private const ulong AlignedPlaceholder = 256;

    // Further ones are hardly ever the fastest.
    private const int MaxAlgorithms = 4;

    private readonly DeviceStream _stream;
    private readonly bool _hasBias;
    private cublasLtMatmulDesc_t _operation;
    private cublasLtMatrixLayout_t _a;
    private cublasLtMatrixLayout_t _b;
    private cublasLtMatrixLayout_t _d;
    private cublasLtMatmulAlgo_t _algorithm;
    private CUdeviceptr _bias;

    private MatrixProduct(DeviceStream stream, OperatorOptions options, MatrixProblem problem)
    {
        _stream = stream;
        _hasBias = problem.Epilogue != cublasLtEpilogue_t.CUBLASLT_EPILOGUE_DEFAULT;

        cublasComputeType_t computeType = options is { DataType: DataType.Float32, AllowTf32: true }
            ? cublasComputeType_t.CUBLAS_COMPUTE_32F_FAST_TF32
            : cublasComputeType_t.CUBLAS_COMPUTE_32F;
        CublasLt.cublasLtMatmulDescCreate(out _operation, computeType, cudaDataType_t.CUDA_R_32F).ThrowIfFailed();
        SetTranspose(cublasLtMatmulDescAttributes_t.CUBLASLT_MATMUL_DESC_TRANSA, problem.IsATransposed);
        SetTranspose(cublasLtMatmulDescAttributes_t.CUBLASLT_MATMUL_DESC_TRANSB, problem.IsBTransposed);
        cublasLtEpilogue_t epilogue = problem.Epilogue;
        Set(cublasLtMatmulDescAttributes_t.CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof(cublasLtEpilogue_t));
        if (_hasBias)
            SetBias(new CUdeviceptr(AlignedPlaceholder));

        cudaDataType_t type = options.DataType.ToCuda();
        CublasLt.cublasLtMatrixLayoutCreate(out _a, type, (ulong)problem.A.Rows, (ulong)problem.A.Columns, problem.A.Rows).ThrowIfFailed();
        CublasLt.cublasLtMatrixLayoutCreate(out _b, type, (ulong)problem.B.Rows, (ulong)problem.B.Columns, problem.B.Rows).ThrowIfFailed();
        CublasLt.cublasLtMatrixLayoutCreate(out _d, type, (ulong)problem.D.Rows, (ulong)problem.D.Columns, problem.D.Rows).ThrowIfFailed();
    }

    ~MatrixProduct() => Destroy();

    /// <summary>Scratch memory that <see cref="Run"/> needs.</summary>
    public long WorkspaceBytes { get; private set; }

    /// <summary>The product with each algorithm that cuBLASLt's heuristic offers within the options' limits, best first; often there is none.</summary>
    public static IEnumerable<MatrixProduct> Find(DeviceStream stream, OperatorOptions options, MatrixProblem problem)
    {
        stream.Device.MakeCurrent();
        cublasLtMatmulHeuristicResult_t[] results;
        using (var query = new MatrixProduct(stream, options, problem))
            results = query.Offers(options.WorkspaceLimit);
        return
        [
            .. results.Where(result => result.state == cublasStatus_t.CUBLAS_STATUS_SUCCESS).Select(result =>
                new MatrixProduct(stream, options, problem) { _algorithm = result.algo, WorkspaceBytes = (long)result.workspaceSize }),
        ];
    }

    /// <summary>Queues the product. The operands are long enough, and D overlaps no other.</summary>
    public cublasStatus_t Run(DeviceMemory a, DeviceMemory b, DeviceMemory d, DeviceMemory bias, DeviceMemory workspace)
    {
        ObjectDisposedException.ThrowIf(_operation == default, this);
        _stream.Device.MakeCurrent();
        if (_hasBias && bias.Address != _bias)
            SetBias(bias.Address);
        float one = 1, zero = 0;
        void* result = d.Address.Pointer;
        fixed (cublasLtMatmulAlgo_t* algorithm = &_algorithm)
        {
            return CublasLt.cublasLtMatmul(
                _stream.CublasLt, _operation, &one, a.Address.Pointer, _a, b.Address.Pointer, _b, &zero, result, _d, result, _d,
                algorithm, workspace.Address.Pointer, (nuint)WorkspaceBytes, _stream.Handle);
        }
    }

    public void Dispose()
    {
        Destroy();
        GC.SuppressFinalize(this);
    }

    private cublasLtMatmulHeuristicResult_t[] Offers(long workspaceLimit)
    {
        CublasLt.cublasLtMatmulPreferenceCreate(out cublasLtMatmulPreference_t preference).ThrowIfFailed();
        try
        {
            ulong limit = (ulong)workspaceLimit;
            CublasLt.cublasLtMatmulPreferenceSetAttribute(
                preference, cublasLtMatmulPreferenceAttributes_t.CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &limit, sizeof(ulong)).ThrowIfFailed();
            var results = new cublasLtMatmulHeuristicResult_t[MaxAlgorithms];
            fixed (cublasLtMatmulHeuristicResult_t* pointer = results)
            {
                cublasStatus_t status = CublasLt.cublasLtMatmulAlgoGetHeuristic(
                    _stream.CublasLt, _operation, _a, _b, _d, _d, preference, MaxAlgorithms, pointer, out int count);
                if (status == cublasStatus_t.CUBLAS_STATUS_NOT_SUPPORTED)
                    return [];
                status.ThrowIfFailed(nameof(CublasLt.cublasLtMatmulAlgoGetHeuristic));
                return results[..count];
            }
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
