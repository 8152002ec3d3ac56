using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

/// <summary>A function of cuBLAS or cuBLASLt failed; they share their statuses.</summary>
public sealed class CublasException : NativeException
{
    /// <summary>Describes a failed call.</summary>
    /// <param name="status">What it returned.</param>
    /// <param name="function">The function's name.</param>
    /// <param name="detail">What the caller knows beyond the status, such as shapes and types.</param>
    public CublasException(cublasStatus_t status, string function, string? detail = null)
        : this(status, function, detail, Enum.GetName(status) ?? "unknown status", NativeLibraries.Current?.Provider)
    {
    }

    private CublasException(cublasStatus_t status, string function, string? detail, string codeName, NativeProvider? provider)
        : base(Compose(function, (int)status, codeName, Text(status), detail, provider), function, (int)status, codeName, provider) =>
        Status = status;

    /// <summary>What the function returned.</summary>
    public cublasStatus_t Status { get; }

    private static unsafe string? Text(cublasStatus_t status) =>
        NativeLibraries.Current is null ? null : Marshal.PtrToStringUTF8((nint)Cublas.cublasGetStatusString(status));
}
