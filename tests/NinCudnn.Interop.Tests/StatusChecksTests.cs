using Xunit;

namespace NinCudnn.Interop.Tests;

/// <summary>Checks and messages without a loaded library; <see cref="ProcessTests"/> has the libraries' own texts.</summary>
public class StatusChecksTests
{
    [Fact]
    public void ThrowIfFailed_Success_DoesNothing()
    {
        CUresult.CUDA_SUCCESS.ThrowIfFailed();
        cudnnStatus_t.CUDNN_STATUS_SUCCESS.ThrowIfFailed();
        cublasStatus_t.CUBLAS_STATUS_SUCCESS.ThrowIfFailed();
    }

    [Fact]
    public void ThrowIfFailed_Success_AllocatesNothing()
    {
        AnyCall(CUresult.CUDA_SUCCESS).ThrowIfFailed();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            AnyCall(CUresult.CUDA_SUCCESS).ThrowIfFailed();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void ThrowIfFailed_Cuda_NamesFunctionAndStatus()
    {
        var exception = Assert.Throws<CudaException>(() => AnyCall(CUresult.CUDA_ERROR_OUT_OF_MEMORY).ThrowIfFailed());

        Assert.Equal("AnyCall failed: CUDA_ERROR_OUT_OF_MEMORY (2)", exception.Message);
        Assert.Equal("AnyCall", exception.Function);
        Assert.Equal(2, exception.Code);
        Assert.Equal("CUDA_ERROR_OUT_OF_MEMORY", exception.CodeName);
        Assert.Equal(CUresult.CUDA_ERROR_OUT_OF_MEMORY, exception.Status);
        Assert.Null(exception.Provider);
    }

    [Fact]
    public void ThrowIfFailed_Cudnn_NamesFunctionAndStatus()
    {
        var exception = Assert.Throws<CudnnException>(
            () => AnyCall(cudnnStatus_t.CUDNN_STATUS_NOT_SUPPORTED_LAYOUT).ThrowIfFailed());

        Assert.Equal("AnyCall failed: CUDNN_STATUS_NOT_SUPPORTED_LAYOUT (3004)", exception.Message);
        Assert.Equal(cudnnStatus_t.CUDNN_STATUS_NOT_SUPPORTED_LAYOUT, exception.Status);
    }

    [Fact]
    public void ThrowIfFailed_Cublas_NamesFunctionAndStatus()
    {
        var exception = Assert.Throws<CublasException>(() => AnyCall(cublasStatus_t.CUBLAS_STATUS_NOT_SUPPORTED).ThrowIfFailed());

        Assert.Equal("AnyCall failed: CUBLAS_STATUS_NOT_SUPPORTED (15)", exception.Message);
        Assert.Equal(cublasStatus_t.CUBLAS_STATUS_NOT_SUPPORTED, exception.Status);
    }

    [Theory]
    [InlineData("Cudnn.cudnnCreate(out var handle)", "cudnnCreate")]
    [InlineData("NinCudnn.Interop.Cuda.cuMemFree_v2(buffer.Address + 4)", "cuMemFree_v2")]
    [InlineData("cuInit(0)", "cuInit")]
    [InlineData("status", "status")]
    public void ThrowIfFailed_FunctionName_IsTheCallsTextUpToTheParenthesis(string call, string function) =>
        Assert.Equal(function, Assert.Throws<CudaException>(() => CUresult.CUDA_ERROR_UNKNOWN.ThrowIfFailed(call)).Function);

    [Fact]
    public void CudaException_UnknownStatus_KeepsItsNumber() =>
        Assert.Equal("cuInit failed: unknown status (4711)", new CudaException((CUresult)4711, "cuInit").Message);

    [Fact]
    public void CudaException_Detail_IsPartOfTheMessage() =>
        Assert.Equal(
            "cuModuleLoadDataEx failed: CUDA_ERROR_INVALID_PTX (218). line 3: syntax error",
            new CudaException(CUresult.CUDA_ERROR_INVALID_PTX, "cuModuleLoadDataEx", "line 3: syntax error\n").Message);

    [Theory]
    [InlineData(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS)]
    [InlineData(CUresult.CUDA_ERROR_LAUNCH_FAILED)]
    [InlineData(CUresult.CUDA_ERROR_MISALIGNED_ADDRESS)]
    public void CudaException_StickyStatus_SaysWhatItMeans(CUresult status)
    {
        Assert.True(CudaStatus.IsSticky(status));
        string message = new CudaException(status, "cuStreamSynchronize").Message;

        Assert.Contains("at or before this call", message, StringComparison.Ordinal);
        Assert.Contains("the process must be restarted", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CUresult.CUDA_SUCCESS)]
    [InlineData(CUresult.CUDA_ERROR_OUT_OF_MEMORY)]
    [InlineData(CUresult.CUDA_ERROR_NOT_READY)]
    [InlineData(CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED)]
    public void CudaStatus_OtherStatus_IsNotSticky(CUresult status)
    {
        Assert.False(CudaStatus.IsSticky(status));
        Assert.DoesNotContain("restarted", new CudaException(status, "cuInit").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NativeExceptions_HaveOneBase()
    {
        Assert.IsAssignableFrom<NativeException>(new CudaException(CUresult.CUDA_ERROR_UNKNOWN, "f"));
        Assert.IsAssignableFrom<NativeException>(new CudnnException(cudnnStatus_t.CUDNN_STATUS_BAD_PARAM, "f"));
        Assert.IsAssignableFrom<NativeException>(new CublasException(cublasStatus_t.CUBLAS_STATUS_INVALID_VALUE, "f"));
        Assert.True(typeof(NativeLibraryException).IsSubclassOf(typeof(NativeException)));
    }

    private static T AnyCall<T>(T status) => status;
}
