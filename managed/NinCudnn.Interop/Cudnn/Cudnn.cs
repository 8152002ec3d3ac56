namespace NinCudnn.Interop;

/// <summary>
/// The fixed-function cuDNN API, the same in cuDNN 8 and 9. Names, parameter order and types are those of cuDNN's headers.
/// </summary>
public static unsafe partial class Cudnn
{
    private const string Library = NativeLibraryNames.Cudnn;
}
