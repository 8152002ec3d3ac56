namespace NinCudnn.Interop;

/// <summary>A function of the CUDA driver failed.</summary>
public sealed class CudaException : NativeException
{
    private const string StickyText =
        "The cause lies at or before this call, in work that runs asynchronously. Every later CUDA call will fail too: " +
        "the process must be restarted";

    /// <summary>Describes a failed call.</summary>
    /// <param name="status">What it returned.</param>
    /// <param name="function">The function's name.</param>
    /// <param name="detail">What the caller knows beyond the status, such as the log of a PTX compilation.</param>
    public CudaException(CUresult status, string function, string? detail = null)
        : this(status, function, detail, CudaStatus.Name(status), NativeLibraries.Current?.Provider)
    {
    }

    internal CudaException(CUresult status, string function, string? detail, string codeName, NativeProvider? provider)
        : base(
            Compose(function, (int)status, codeName, CudaStatus.Text(status), WithStickyText(status, detail), provider),
            function, (int)status, codeName, provider) => Status = status;

    /// <summary>What the function returned.</summary>
    public CUresult Status { get; }

    private static string? WithStickyText(CUresult status, string? detail)
    {
        if (!CudaStatus.IsSticky(status))
            return detail;
        return string.IsNullOrWhiteSpace(detail) ? StickyText : $"{detail.Trim()} {StickyText}";
    }
}
