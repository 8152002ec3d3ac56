namespace NinCudnn.Interop;

/// <summary>A native library refused a call, failed in it, or could not be had.</summary>
public abstract class NativeException : Exception
{
    /// <summary>Fills in what every native failure has.</summary>
    /// <param name="message">The whole message.</param>
    /// <param name="function">The native function.</param>
    /// <param name="code">The status as a number.</param>
    /// <param name="codeName">The status by the library's name for it.</param>
    /// <param name="provider">The provider that was called.</param>
    /// <param name="innerException">What led to it, if it was another failure.</param>
    private protected NativeException(
        string message, string function, int code, string codeName, NativeProvider? provider, Exception? innerException = null)
        : base(message, innerException)
    {
        Function = function;
        Code = code;
        CodeName = codeName;
        Provider = provider;
    }

    /// <summary>The native function that reported the failure.</summary>
    public string Function { get; }

    /// <summary>The status as a number.</summary>
    public int Code { get; }

    /// <summary>The status by the library's name for it.</summary>
    public string CodeName { get; }

    /// <summary>The provider that was called; <see langword="null"/> if none was chosen yet.</summary>
    public NativeProvider? Provider { get; }

    /// <summary>The message that all status exceptions have: function, status, the library's words, more detail, provider.</summary>
    private protected static string Compose(
        string function, int code, string codeName, string? libraryText, string? detail, NativeProvider? provider)
    {
        string message = $"{function} failed: {codeName} ({code})";
        if (!string.IsNullOrWhiteSpace(libraryText) && libraryText != codeName)
            message += $", {libraryText.Trim()}";
        if (!string.IsNullOrWhiteSpace(detail))
            message += $". {detail.Trim()}";
        return provider is null ? message : $"{message} [provider: {provider}]";
    }
}
