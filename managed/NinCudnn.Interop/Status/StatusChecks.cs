using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace NinCudnn.Interop;

/// <summary>
/// Turns a failed status into an exception, and nothing else. On success each check is one comparison; the message is built
/// in a method of its own. <c>Cudnn.cudnnCreate(out var handle).ThrowIfFailed()</c> knows the function from the call's text.
/// </summary>
public static class StatusChecks
{
    /// <summary>Throws unless the driver succeeded.</summary>
    /// <param name="status">The returned status.</param>
    /// <param name="call">The call's text, which the compiler fills in.</param>
    /// <exception cref="CudaException">The status is not CUDA_SUCCESS.</exception>
    public static void ThrowIfFailed(this CUresult status, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status != CUresult.CUDA_SUCCESS)
            Throw(status, call);
    }

    /// <summary>Throws unless cuDNN succeeded.</summary>
    /// <param name="status">The returned status.</param>
    /// <param name="call">The call's text, which the compiler fills in.</param>
    /// <exception cref="CudnnException">The status is not CUDNN_STATUS_SUCCESS.</exception>
    public static void ThrowIfFailed(this cudnnStatus_t status, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status != cudnnStatus_t.CUDNN_STATUS_SUCCESS)
            Throw(status, call);
    }

    /// <summary>Throws unless cuBLAS or cuBLASLt succeeded.</summary>
    /// <param name="status">The returned status.</param>
    /// <param name="call">The call's text, which the compiler fills in.</param>
    /// <exception cref="CublasException">The status is not CUBLAS_STATUS_SUCCESS.</exception>
    public static void ThrowIfFailed(this cublasStatus_t status, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status != cublasStatus_t.CUBLAS_STATUS_SUCCESS)
            Throw(status, call);
    }

    [DoesNotReturn, MethodImpl(MethodImplOptions.NoInlining)]
    private static void Throw(CUresult status, string call) => throw new CudaException(status, FunctionName(call));

    [DoesNotReturn, MethodImpl(MethodImplOptions.NoInlining)]
    private static void Throw(cudnnStatus_t status, string call) => throw new CudnnException(status, FunctionName(call));

    [DoesNotReturn, MethodImpl(MethodImplOptions.NoInlining)]
    private static void Throw(cublasStatus_t status, string call) => throw new CublasException(status, FunctionName(call));

    /// <summary>"Cudnn.cudnnCreate(out var handle)" → "cudnnCreate".</summary>
    private static string FunctionName(string call)
    {
        int parenthesis = call.IndexOf('(', StringComparison.Ordinal);
        string name = parenthesis < 0 ? call : call[..parenthesis];
        return name[(name.LastIndexOf('.') + 1)..].Trim();
    }
}
