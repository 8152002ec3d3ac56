namespace NinCudnn.Interop;

/// <summary>A function of cuDNN failed. The message holds cuDNN's own account of it where the version keeps one.</summary>
public sealed class CudnnException : NativeException
{
    /// <summary>Describes a failed call.</summary>
    /// <param name="status">What it returned.</param>
    /// <param name="function">The function's name.</param>
    /// <param name="detail">What the caller knows beyond the status, such as shapes, types and layouts.</param>
    public CudnnException(cudnnStatus_t status, string function, string? detail = null)
        : this(status, function, detail, CudnnStatus.Name(status), NativeLibraries.Current?.Provider)
    {
    }

    private CudnnException(cudnnStatus_t status, string function, string? detail, string codeName, NativeProvider? provider)
        : base(
            Compose(function, (int)status, codeName, CudnnStatus.LastErrorText() ?? CudnnStatus.Text(status), detail, provider),
            function, (int)status, codeName, provider) => Status = status;

    /// <summary>What the function returned, in the numbers of the loaded version; see <see cref="CudnnStatus"/>.</summary>
    public cudnnStatus_t Status { get; }
}
