package org.telltale.app

import android.app.Activity

class MainActivity : Activity()
