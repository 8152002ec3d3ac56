namespace NinCudnn.Diagnostics;

/// <summary>How a check ended.</summary>
public enum CheckStatus
{
    /// <summary>It found what it should.</summary>
    Passed,

    /// <summary>It found something wrong.</summary>
    Failed,

    /// <summary>The device or a library has nothing for an element type that training can do without.</summary>
    NotSupported,

    /// <summary>It could not be run, or there was nothing to look at.</summary>
    Skipped,
}
